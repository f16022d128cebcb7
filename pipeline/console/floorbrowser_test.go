package console_test

// floorWithoutScript asks, answers and compares without JavaScript; only axe-core
// needs it, once the page is there.
func (e *eye) floorWithoutScript() {
	e.t.Helper()
	see := func(name string) {
		e.t.Helper()
		e.Script(true)
		e.see(name)
		e.Script(false)
	}
	e.Script(false)
	e.open("/campaigns/muguet/answers?lang=fr")
	e.Type("#q", "bancaires")
	e.Press("main form button")
	see("found")
	e.open("/answer")
	e.Type("#reference", refSent.String())
	e.Press("main form button")
	see("spoken")
	e.open("/genuine")
	e.Click("#way-sms")
	e.Type("#reference", refSent.String())
	e.Type("#sentence", "Des données qui vous concernent ont été exposées.")
	e.Type("#phones", "08 99 00 00 00")
	e.Press("main form button")
	see("foreign")
	e.open("/genuine")
	e.Type("#sentence", "Deux mots.")
	e.Press("main form button")
	see("genuine-problems")
	e.Script(true)
}
