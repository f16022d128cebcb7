// What the pages do more with JavaScript. Without it every page and form works.
"use strict";

// Who sent a form with problems is taken to their list.
const problems = document.getElementById("problems");
if (problems) problems.focus();

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
