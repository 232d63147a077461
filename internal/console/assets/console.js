// The console works without this. It follows the decision log, and copies texts.
"use strict";

const say = (text) => { document.getElementById("status").textContent = text; };

for (const button of document.querySelectorAll("button.copy")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const text = button.parentElement.querySelector("pre").textContent;
    try {
      await navigator.clipboard.writeText(text);
    } catch { // a page without TLS, under another name than localhost, has no clipboard: it selects the text
      getSelection().selectAllChildren(button.parentElement.querySelector("pre"));
      say("Selected. Copy it with the keyboard.");
      return;
    }
    say("Copied.");
    button.classList.add("done");
    setTimeout(() => { button.classList.remove("done"); say(""); }, 2000);
  });
}

const live = document.getElementById("live");
if (live) {
  const body = document.querySelector("#log tbody");
  const news = document.getElementById("news");
  const most = 300; // rows
  let on = false;
  let timer;
  const address = new URL(location.href);
  address.hash = "";
  address.searchParams.set("part", "rows");

  const stop = (why) => {
    on = false;
    clearTimeout(timer);
    live.setAttribute("aria-pressed", "false");
    news.textContent = why;
  };

  const follow = async () => {
    if (!document.hidden) {
      let answer;
      try {
        answer = await fetch(address, { redirect: "manual" });
      } catch {
        stop("The server does not answer.");
        return;
      }
      if (!answer.ok) {
        stop("The log cannot be followed any more: the session has ended, or its rights have changed.");
        return;
      }
      const page = new DOMParser().parseFromString("<table><tbody>" + await answer.text() + "</tbody></table>", "text/html");
      if (!on) return;
      const known = new Set(Array.from(body.rows, (row) => row.dataset.id));
      const added = Array.from(page.querySelectorAll("tr")).filter((row) => !known.has(row.dataset.id));
      for (const row of added.reverse()) {
        row.classList.add("new");
        body.prepend(document.adoptNode(row));
      }
      while (body.rows.length > most) body.lastElementChild.remove();
      if (added.length) {
        document.getElementById("none")?.remove();
        const denied = added.filter((row) => row.querySelector(".badge.deny")).length;
        news.textContent = added.length + " new, " + denied + " of them denied.";
      }
    }
    timer = setTimeout(follow, 1000);
  };

  live.hidden = false;
  document.getElementById("reload").hidden = true;
  live.addEventListener("click", () => {
    if (on) {
      stop("");
      return;
    }
    on = true;
    live.setAttribute("aria-pressed", "true");
    news.textContent = "Following.";
    follow();
  });
  live.click();
}
