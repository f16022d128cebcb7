// What the pages do more with JavaScript. Without it every page and form works.
"use strict";

// Who sent a form with problems is taken to their list, unless the page has a better
// place for the cursor: the list is read out either way.
const problems = document.getElementById("problems");
if (problems && !document.querySelector("main [autofocus]")) problems.focus();

// Figures that move: the server sends the part of the page anew.
for (const place of document.querySelectorAll("[data-live]")) {
  const source = new EventSource(place.dataset.live);
  source.addEventListener("figures", (e) => { place.innerHTML = e.data; });
  source.addEventListener("over", () => source.close());
  addEventListener("pagehide", () => source.close());
}

// A deed is done once, however often the button is pressed.
for (const form of document.forms) {
  form.addEventListener("submit", (e) => {
    if (form.dataset.sent) e.preventDefault();
    form.dataset.sent = "yes";
  });
  addEventListener("pageshow", () => { delete form.dataset.sent; });
}

// A job that runs: look again in a moment.
if (document.querySelector("[data-wait]")) setTimeout(() => location.reload(), 1500);

// Whoever words a letter sees it as they write. The button does the same.
for (const form of document.querySelectorAll("form[data-preview]")) {
  const place = document.getElementById("preview");
  let wait, asked = 0;
  const look = async () => {
    const mine = ++asked;
    place.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(form.dataset.preview, { method: "POST", body: new URLSearchParams(new FormData(form)) });
      const text = await answer.text();
      // Only the newest answer counts. A login that has ended shows when something is pressed.
      if (mine === asked && answer.ok && !answer.redirected) place.innerHTML = text;
    } catch { /* the button remains */ }
    if (mine === asked) place.removeAttribute("aria-busy");
  };
  form.addEventListener("input", (e) => {
    if (e.target.name === "reason") return;
    clearTimeout(wait);
    wait = setTimeout(look, 700);
  });
  // A text that is not saved does not vanish unasked.
  const source = form.elements.text, before = source.value;
  addEventListener("beforeunload", (e) => { if (source.value !== before && !form.dataset.sent) e.preventDefault(); });
}
