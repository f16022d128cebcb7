package dispatch

import (
	"context"

	"github.com/art34/art34/pipeline"
)

// Told records customers who were informed by other means: on the phone, by SMS,
// in a shop, by hand. What is not on its way yet is not sent any more. One whose
// e-mail or letter is in the hands of a courier or of the print shop is recorded,
// and moves when the same is said again later.
func (o Operations) Told(ctx context.Context, campaign int64, news []News) ([]Taken, error) {
	for i := range news {
		news[i].Event.Kind = pipeline.EvTold
	}
	return o.take(ctx, campaign, news)
}

// Notified records that a public notice stands in for customers who cannot be
// reached (Article 34(3)(c) GDPR). It moves nothing.
func (o Operations) Notified(ctx context.Context, campaign int64, news []News) ([]Taken, error) {
	for i := range news {
		news[i].Event.Kind = pipeline.EvNotified
	}
	return o.take(ctx, campaign, news)
}
