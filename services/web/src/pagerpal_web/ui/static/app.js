// What pages do beyond HTML: stay new, say how old they are, count down, copy, tick boxes together. Everything that
// matters works without it: log in, look at an incident, and act on it.
"use strict";
(() => {
  const STALE_SECONDS = 12;
  const POLL_SECONDS = 10;
  const RECONNECT_SECONDS = 15;

  // ---- staying new -------------------------------------------------------------------------------------------------
  // Parts with hx-trigger="pagerpal-change from:body" are loaded again. The page is as old as what was last heard from
  // a database that was really looked at: a beat of the stream, or a part that was loaded.
  const live = document.querySelector("[data-live]");
  const stale = document.getElementById("stale");
  let heard = performance.now();
  let heardAt = new Date();

  const note = () => {
    heard = performance.now();
    heardAt = new Date();
  };
  const change = () => document.body.dispatchEvent(new CustomEvent("pagerpal-change"));
  const age = () => Math.round((performance.now() - heard) / 1000);

  const listen = () => {
    const stream = new EventSource("/events");
    stream.addEventListener("beat", note);
    stream.addEventListener("change", () => {
      note();
      change();
    });
    stream.addEventListener("full", () => stream.close());
    stream.addEventListener("error", () => {
      if (stream.readyState === EventSource.CLOSED) setTimeout(listen, RECONNECT_SECONDS * 1000);
    });
    window.addEventListener("pagehide", () => stream.close(), { once: true });
  };

  if (live && stale) {
    listen();
    document.body.addEventListener("htmx:after:swap", note);
    let polled = 0;
    setInterval(() => {
      const seconds = age();
      const isStale = seconds > STALE_SECONDS;
      document.body.classList.toggle("is-stale", isStale);
      stale.hidden = !isStale;
      if (!isStale) return;
      const clock = heardAt.toLocaleTimeString([], { hour12: false });
      stale.textContent = `Not live: this page is from ${clock}, ${seconds} s ago. Trying again.`;
      if (performance.now() - polled > POLL_SECONDS * 1000) {
        polled = performance.now();
        change();
      }
    }, 1000);
    // Back from sleep or from another page: what is shown may be hours old.
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && change());
    window.addEventListener("pageshow", (event) => {
      if (!event.persisted) return;
      listen();
      change();
    });
  }

  // ---- counting down -----------------------------------------------------------------------------------------------
  // <span data-until="2026-05-21T12:00:00Z">: what is left, in minutes and seconds, by the server's clock.
  const server = document.querySelector("[data-now]");
  const ahead = server ? new Date(server.dataset.now) - Date.now() : 0;
  setInterval(() => {
    for (const each of document.querySelectorAll("[data-until]")) {
      const left = Math.max(0, Math.round((new Date(each.dataset.until) - Date.now() - ahead) / 1000));
      const hours = Math.floor(left / 3600);
      const minutes = Math.floor((left % 3600) / 60);
      const pad = (number) => String(number).padStart(2, "0");
      each.textContent = hours ? `${hours}:${pad(minutes)}:${pad(left % 60)}` : `${minutes}:${pad(left % 60)}`;
    }
  }, 1000);

  // ---- small things, also in parts that come later -----------------------------------------------------------------
  const prepare = () => {
    for (const button of document.querySelectorAll("[data-copy][hidden]")) button.hidden = false;
    for (const box of document.querySelectorAll("[data-all][hidden], [data-all-label][hidden]")) box.hidden = false;
  };
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const text = document.getElementById(button.dataset.copy).textContent;
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      const range = document.createRange();
      range.selectNodeContents(document.getElementById(button.dataset.copy));
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      button.textContent = "Selected";
    }
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-all]")) {
      const boxes = document.querySelectorAll(`input[type=checkbox][name="${event.target.dataset.all}"]`);
      for (const box of boxes) box.checked = event.target.checked;
    }
    if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
  });
  // Nothing moves under somebody's finger: a part with [data-hold] stays as it is while a box in it is ticked.
  const isHeld = (part) => part?.matches?.("[data-hold]") && part.querySelector("input:checked") !== null;
  const showHeld = (isNews) => {
    for (const each of document.querySelectorAll("[data-held]")) each.hidden = !isNews;
  };
  document.body.addEventListener("htmx:before:swap", (event) => {
    if (!isHeld(event.detail.ctx.sourceElement)) return;
    event.preventDefault();
    showHeld(true);
  });
  document.addEventListener("change", (event) => {
    const part = event.target.closest("[data-hold]") ?? (event.target.matches("[data-all]") && document.querySelector("[data-hold]"));
    const held = document.querySelector("[data-held]:not([hidden])");
    if (!part || isHeld(part) || !held) return;
    showHeld(false);
    change();
  });
  // A second click does no harm: the server sees to that. It is spared all the same.
  document.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (!button || event.defaultPrevented) return;
    setTimeout(() => {
      button.disabled = true;
    });
    setTimeout(() => {
      button.disabled = false;
    }, 4000);
  });
  // The menu on a telephone closes when somebody looks elsewhere.
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") document.querySelector(".menu[open]")?.removeAttribute("open");
  });
  document.addEventListener("click", (event) => {
    const menu = document.querySelector(".menu[open]");
    if (menu && !menu.contains(event.target)) menu.removeAttribute("open");
  });
  document.body.addEventListener("htmx:after:swap", prepare);
  prepare();
})();
