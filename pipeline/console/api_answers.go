package console

import (
	"slices"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console/answer"
)

// This file holds the published answers, and the sentence for a reference, for
// programs.

func answerEndpoints() []endpoint {
	return []endpoint{
		endpointOf("POST", "/campaigns/{name}/answers/search", "searchAnswers", "The published questions and answers that fit words, best first; all of them without words.", ActAnswer, apiAnswers),
		endpointOf("POST", "/sentence", "sentence", "The sentence to read aloud to whoever shows a reference, and nothing else about anybody.", ActAnswer, apiSentence),
	}
}

type answerQuery struct {
	Words  string `json:"words,omitempty" max:"200" eg:"bank"`
	Locale string `json:"locale" enum:"fr|en"`
}

type answerLine struct {
	ID       int64  `json:"id"`
	Topic    string `json:"topic"`
	Locale   string `json:"locale"`
	Version  int    `json:"version"`
	Question string `json:"question"`
	Answer   string `json:"answer" doc:"Markdown."`
}

type answerList struct {
	Items []answerLine `json:"items"`
}

func apiAnswers(v *visit, in answerQuery) (answerList, error) {
	list := answerList{Items: []answerLine{}}
	c, err := v.campaign()
	if err != nil {
		return list, err
	}
	if !slices.Contains(answer.Locales(), in.Locale) {
		return list, invalid("locale", "unknown", "there are answers in fr and en")
	}
	found, _, err := v.published(c, in.Locale)
	if err != nil {
		return list, err
	}
	order := make([]int, len(found))
	entries := make([]answer.Entry, len(found))
	for i, a := range found {
		order[i], entries[i] = i, entryOf(a.QA, a.InForce)
	}
	if in.Words != "" {
		order = answer.Search(entries, in.Words)
	}
	for _, i := range order {
		q := found[i].QA
		list.Items = append(list.Items, answerLine{q.ID, q.Topic, q.Locale, q.InForce.N, q.InForce.Question, q.InForce.Answer})
	}
	return list, nil
}

type sentenceQuery struct {
	Reference string `json:"reference" max:"40" eg:"7KQ2-M9XD-4T0V"`
}

type sentenceAnswer struct {
	Campaign string            `json:"campaign"`
	Sentence map[string]string `json:"sentence" doc:"By locale. Empty where nothing is said: reserved."`
	Reserved bool              `json:"reserved" doc:"The cell answers this customer itself."`
	Phone    string            `json:"phone" doc:"Of the cell."`
}

func apiSentence(v *visit, in sentenceQuery) (sentenceAnswer, error) {
	r, err := pipeline.ParseReference(in.Reference)
	if err != nil {
		return sentenceAnswer{}, invalid("reference", "form", "this is no reference: a character was misheard or mistyped")
	}
	s, err := v.spoken(r)
	if err != nil {
		return sentenceAnswer{}, err
	}
	a := sentenceAnswer{s.Campaign.Name, s.Sentence, s.Reserved, s.Phone}
	if a.Sentence == nil || s.Reserved {
		a.Sentence = map[string]string{}
	}
	return a, nil
}
