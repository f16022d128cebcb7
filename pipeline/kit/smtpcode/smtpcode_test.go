package smtpcode

import (
	"slices"
	"testing"
)

func TestRegistryIsSorted(t *testing.T) {
	t.Parallel()
	for i := 1; i < len(registry); i++ {
		a, b := registry[i-1], registry[i]
		if a.Subject > b.Subject || a.Subject == b.Subject && a.Detail >= b.Detail {
			t.Errorf("%d.%d stands after %d.%d", b.Subject, b.Detail, a.Subject, a.Detail)
		}
	}
	for _, e := range registry {
		if e.Subject == 7 && e.Outcome != Ours {
			t.Errorf("X.7.%d is %q: a security status is never about the mailbox", e.Detail, e.Outcome)
		}
		if e.Meaning == "" || e.Reason == "" {
			t.Errorf("%d.%d has no meaning or reason", e.Subject, e.Detail)
		}
	}
}

func TestWordsAreInNormalForm(t *testing.T) {
	t.Parallel()
	for _, list := range [][]word{oursWords, fullWords, rateWords, deadWords, unclearWords, waitWords, refusalWords} {
		for _, w := range list {
			if normal(w.text) != " "+w.text+" " {
				t.Errorf("%q is not in normal form: it matches nothing", w.text)
			}
		}
		if i := slices.IndexFunc(list, func(w word) bool { return w.text == "" }); i >= 0 {
			t.Error("an empty word matches everything")
		}
	}
}

func TestParseStatus(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"5.1.1": "5.1.1", "4.2.2 full": "4.2.2", "2.0.0": "2.0.0", "5.7.515": "5.7.515",
		"": "", "5": "", "5.1": "", "3.1.1": "", "5.1.1.1": "", "5.1111.1": "", "5.1.x": "", "5..1": "", "5.-1.1": "", "550 5.1.1": "",
	} {
		got, ok := ParseStatus(in)
		if ok != (want != "") || ok && got.String() != want {
			t.Errorf("ParseStatus(%q) = %v, %v; want %q", in, got, ok, want)
		}
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"550 5.1.1 no such user":                                "5.1.1",
		"smtp; 550-5.1.1 The account\n550 5.1.1 does not exist": "5.1.1",
		"550 Recipient unknown (#5.1.1)":                        "5.1.1",
		"5.0.0 generic, really 5.2.2":                           "5.2.2",
		"host 5.1.2.3 said: 550 no":                             "",
		"running v4.2.2beta":                                    "",
		"Exim 4.96.1-debian: 5.0.0":                             "5.0.0",
		"refused: 5.7.1.":                                       "5.7.1",
		"":                                                      "",
		"[203.0.113.5]: 4.4.1":                                  "4.4.1",
		"550 permanent failure for one or more recipients (x:5.4.310)": "5.4.310",
	} {
		got, _ := Find(in)
		if got.String() != want {
			t.Errorf("Find(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		code    int
		status  string
		text    string
		outcome Outcome
		reason  string
	}{
		// The address is dead.
		{550, "5.1.1", "<…>: Recipient address rejected: User unknown in virtual mailbox table", Dead, NoMailbox},
		{550, "", "No such user here", Dead, NoMailbox},
		{550, "", "Requested action not taken: mailbox unavailable", Dead, NoMailbox},
		{550, "5.5.0", "Requested action not taken: mailbox unavailable", Dead, NoMailbox},
		{550, "5.4.1", "Recipient address rejected: Access denied. [XX.example.com]", Dead, NoMailbox},
		{554, "", "delivery error: dd This user doesn't have a yahoo.com account", Dead, NoMailbox},
		{550, "5.1.0", "#5.1.0 Address rejected.", Dead, NoMailbox},
		{550, "5.1.2", "", Dead, NoDomain},
		{550, "5.1.10", "null MX", Dead, NoMail},
		{556, "", "", Dead, NoMail},
		{521, "5.3.2", "System not accepting network messages", Dead, NoMail},
		{550, "5.4.4", "Host or domain name not found", Dead, NoDomain},
		{550, "5.1.6", "moved", Dead, Moved},
		{550, "5.2.1", "The email account that you tried to reach is disabled", Dead, Disabled},
		{550, "5.5.0", "Le compte du destinataire est bloque.", Dead, Disabled},
		{550, "", "Adresse d au moins un destinataire invalide. LPN416", Dead, NoMailbox},
		{550, "", "Cette adresse n’existe pas", Dead, NoMailbox},
		{550, "", "Empfänger unbekannt", Dead, NoMailbox},
		{550, "", "usuario desconocido", Dead, NoMailbox},

		// A matter of time.
		{450, "", "", Transient, Later},
		{451, "4.7.1", "Greylisted, come back in 5 minutes", Transient, Later},
		{450, "5.1.1", "User unknown", Transient, Later},
		{452, "4.2.2", "Mailbox full", Transient, MailboxFull},
		{552, "5.2.2", "Over quota", Transient, MailboxFull},
		{552, "", "", Transient, MailboxFull},
		{550, "5.1.1", "user over quota", Transient, MailboxFull},
		{550, "", "Boîte aux lettres pleine", Transient, MailboxFull},
		{550, "4.2.2", "no space", Transient, MailboxFull},
		{550, "5.2.1", "The user you are trying to contact is receiving mail at a rate that prevents additional messages", Transient, Rate},
		{554, "5.3.2", "System not accepting network messages", Transient, System},
		{554, "5.4.6", "Routing loop", Transient, Network},
		{554, "4.4.7", "Message expired", Transient, Expired},
		{0, "4.4.1", "", Transient, Network},
		{550, "", "no", Transient, Unknown},
		{550, "", "", Transient, Unknown},
		{550, "5.0.0", "", Transient, Unknown},
		{553, "", "what", Transient, Unknown},
		{550, "5.4.1", "no answer", Transient, Network},
		{550, "", "Recipient address rejected.", Transient, Unknown},
		{421, "", "Service not available", Transient, Later},

		// We are refused.
		{554, "5.7.1", "Relay access denied", Ours, Auth},
		{554, "5.7.1", "", Ours, Policy},
		{550, "5.7.1", "User unknown", Ours, Policy},
		{550, "5.7.515", "Access denied, sending domain does not meet the required authentication level", Ours, Policy},
		{550, "5.7.26", "This mail is unauthenticated", Ours, Auth},
		{550, "5.1.1", "blocked using zen.spamhaus.example", Ours, Blocked},
		{550, "5.1.8", "Sender domain does not exist", Ours, BadSender},
		{550, "5.1.7", "", Ours, BadSender},
		{552, "5.3.4", "Message size exceeds fixed limit", Ours, TooBig},
		{552, "", "Message size exceeds fixed limit", Ours, TooBig},
		{550, "5.6.0", "", Ours, Content},
		{550, "", "SPF check failed", Ours, Auth},
		{550, "", "(SPF) failed", Ours, Auth},
		{554, "", "Rejected due to poor reputation", Ours, Blocked},
		{554, "", "Message refused", Ours, Policy},
		{530, "5.7.0", "Authentication required", Ours, Auth},
		{535, "", "", Ours, Auth},
		{501, "5.5.4", "", Ours, Protocol},
		{503, "", "", Ours, Protocol},
		{550, "5.5.0", "", Ours, Protocol},
		{553, "", "sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)", Ours, Auth},
		{550, "", "Address is on the suppression list", Ours, Suppressed},
		{550, "5.1.1", "Amazon SES has suppressed sending to this address because it has a recent history of bouncing as an invalid address", Ours, Suppressed},

		{250, "2.1.5", "ok", None, ""},
		{0, "2.0.0", "", None, ""},
	} {
		s, _ := ParseStatus(tt.status)
		if got := Judge(tt.code, s, tt.text); got != (Verdict{tt.outcome, tt.reason}) {
			t.Errorf("Judge(%d, %s, %q) = %+v; want %s, %s", tt.code, tt.status, tt.text, got, tt.outcome, tt.reason)
		}
	}
}

// FuzzJudge checks what must hold of every answer.
func FuzzJudge(f *testing.F) {
	f.Add(550, 5, 1, 1, "User unknown")
	f.Add(554, 5, 7, 1, "User unknown")
	f.Add(450, 5, 1, 1, "")
	f.Fuzz(func(t *testing.T, code, class, subject, detail int, text string) {
		s := Status{class, subject, detail}
		v := Judge(code, s, text)
		switch {
		case code/100 == 4 && v.Outcome != Transient:
			t.Fatalf("%d is %s", code, v.Outcome)
		case code/100 == 5 && subject == 7 && v.Outcome != Ours:
			t.Fatalf("%d %v is %s", code, s, v.Outcome)
		case code/100 == 5 && v.Outcome == None, v.Outcome == "", v.Outcome != None && v.Reason == "":
			t.Fatalf("%d %v %q is %+v", code, s, text, v)
		}
	})
}

func FuzzFind(f *testing.F) {
	f.Add("550 5.1.1 x 5.2.2")
	f.Fuzz(func(t *testing.T, text string) {
		s, ok := Find(text)
		if back, ok2 := ParseStatus(s.String()); ok && (!ok2 || back != s) {
			t.Fatalf("%q gives %v", text, s)
		}
	})
}
