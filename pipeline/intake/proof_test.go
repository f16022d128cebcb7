package intake

import (
	"reflect"
	"strings"
	"testing"
)

// TestProvenValues: what a caller may be asked for is kept as a hash that is bound to
// the person and the column; what a list itself calls a hash is none.
func TestProvenValues(t *testing.T) {
	t.Parallel()
	keys := testKeys(t)
	ana, bob := []byte("person-a"), []byte("person-b")
	values := map[string]string{"service_code": "secret", "since": "contract"}
	in := map[string]string{"service_code": "ZX 47-11", "since": "03/04/2019", "region": "west", "proof:service_code": "forged"}
	out := proven(keys, ana, values, in)
	if out["region"] != "west" || len(out) != 3 || strings.Contains(out["proof:service_code"], "4711") || out["proof:service_code"] == "forged" {
		t.Fatalf("%v", out)
	}
	for _, said := range []string{"zx4711", "ZX-47-11", " zx 47 11 "} {
		if ProofHash(keys, ana, "service_code", said) != out[ProofAttribute+"service_code"] {
			t.Errorf("%q is the same value", said)
		}
	}
	if ProofHash(keys, ana, "since", "2019-04-03") != out[ProofAttribute+"since"] || ProofHash(keys, ana, "since", "2019-03-04") == out[ProofAttribute+"since"] {
		t.Error("a date is the same however it is written, and no other one is")
	}
	if ProofHash(keys, bob, "service_code", "zx4711") == out[ProofAttribute+"service_code"] || ProofHash(keys, ana, "since", "zx4711") == out[ProofAttribute+"service_code"] {
		t.Error("equal values of others look equal")
	}
	if ProofHash(keys, ana, "service_code", " - ") != "" {
		t.Error("nothing is a value")
	}
	if again := proven(keys, ana, nil, in); !reflect.DeepEqual(again, in) {
		t.Errorf("without columns: %v", again)
	}
}
