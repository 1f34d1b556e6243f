// Everything works without this file; it saves a reload, a click or a lost session.
"use strict";

(function () {
  const summary = document.getElementById("errors");
  if (summary) { summary.focus(); }
})();

// A link to something folded away opens it; what belongs on paper is opened to be printed.
(function () {
  const reveal = () => {
    let target = null;
    try { target = document.getElementById(decodeURIComponent(location.hash.slice(1))); } catch (error) { return; }
    for (let at = target; at; at = at.parentElement) { if (at.tagName === "DETAILS") { at.open = true; } }
    if (target && target.firstElementChild && target.firstElementChild.tagName === "DETAILS") { target.firstElementChild.open = true; }
    if (target) { target.scrollIntoView(); }
  };
  if (location.hash) { reveal(); }
  window.addEventListener("hashchange", reveal);
  window.addEventListener("beforeprint", () => {
    document.querySelectorAll("details.section").forEach((one) => { one.open = true; });
  });
})();

// The line that says how far the PDF is: asked every 2 s for 30 s, then left to "Check again".
(function () {
  const line = document.getElementById("pdf");
  if (!line || !line.dataset.poll) { return; }
  let left = 15;
  const ask = async () => {
    left -= 1;
    try {
      const answer = await fetch(line.dataset.poll, { headers: { Accept: "application/json" } });
      if (!answer.ok) { return; }
      const state = await answer.json();
      if (!state.waits) { line.innerHTML = state.html; return; }
    } catch (error) { return; }
    if (left > 0) { setTimeout(ask, 2000); }
  };
  setTimeout(ask, 2000);
})();

// Two minutes before the session ends: a warning with a button. What was typed stays on the page.
(function () {
  const seconds = Number(document.body.dataset.sessionEndsIn);
  const token = document.querySelector("input[name=csrf_token]");
  if (!seconds || !token) { return; }
  const box = document.createElement("div");
  box.className = "box warning";
  box.setAttribute("role", "alert");
  const show = () => {
    box.textContent = "You will be signed out in 2 minutes. ";
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Stay signed in";
    button.addEventListener("click", async () => {
      const answer = await fetch("/session", { method: "POST", headers: { "X-CSRFToken": token.value } });
      if (answer.ok) { const left = await answer.json(); box.remove(); wait(left.seconds); }
    });
    box.append(button);
    document.querySelector("main").prepend(box);
  };
  const wait = (left) => setTimeout(show, Math.max(0, (left - 120) * 1000));
  wait(seconds);
})();

// "Copy": the plain text to the clipboard.
(function () {
  const source = document.getElementById("copy-source");
  const button = document.getElementById("copy");
  if (!source || !button || !navigator.clipboard) { return; }
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(source.textContent);
    document.getElementById("copied").textContent = "Copied.";
  });
})();
