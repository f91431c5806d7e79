// How a browser subscribes to pages, on the profile: <form data-push="public key" data-worker="URL of the worker">. The
// form is shown where that can be done. What comes of it is sent as any form is.
"use strict";
(() => {
  const SCOPE = "/static/";
  const CODE_TAG = "notice";

  const can = window.isSecureContext && "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;
  const isOnApple = "standalone" in navigator && !navigator.standalone;
  if (!can) {
    const home = document.querySelector("[data-push-home]");
    if (home) home.hidden = !isOnApple;
    return;
  }

  const WORDS = {
    denied: "Notifications of this site are blocked. Allow them in the browser's settings for this site, then try again.",
    default: "The browser was not allowed to show notifications. Try again, and allow it when it asks.",
    failed: "This browser could not subscribe: its push service does not answer. Try again later, or in another browser.",
  };

  const bytes = (text) => {
    const plain = text.replaceAll("-", "+").replaceAll("_", "/");
    return Uint8Array.from(atob(plain + "=".repeat(-plain.length & 3)), (letter) => letter.charCodeAt(0));
  };
  const isFor = (subscription, key) => {
    const theirs = new Uint8Array(subscription.options.applicationServerKey ?? []);
    return theirs.length === key.length && theirs.every((byte, place) => byte === key[place]);
  };

  // A worker that is only being installed cannot be subscribed. `navigator.serviceWorker.ready` is of this page's own,
  // and it has none.
  const active = (registration) =>
    new Promise((done) => {
      const coming = registration.installing ?? registration.waiting;
      if (registration.active || !coming) return done();
      coming.addEventListener("statechange", () => registration.active && done());
    });

  // What it is subscribed with already stays, unless that is to another key, or has ended.
  const subscribed = async (form) => {
    const registration = await navigator.serviceWorker.register(form.dataset.worker, { scope: SCOPE });
    await active(registration);
    const key = bytes(form.dataset.push);
    const before = await registration.pushManager.getSubscription();
    if (before && !("anew" in form.dataset) && isFor(before, key)) return before;
    if (before) await before.unsubscribe();
    return registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
  };

  const say = (form, text) => {
    const line = form.querySelector("[data-push-said]");
    line.textContent = text;
    line.hidden = text === "";
  };

  // Whether it has been sent.
  const notify = async (form) => {
    say(form, "");
    const permission = await Notification.requestPermission();
    if (permission !== "granted") {
      say(form, WORDS[permission]);
      return false;
    }
    try {
      form.querySelector("[data-subscription]").value = JSON.stringify(await subscribed(form));
    } catch {
      say(form, WORDS.failed);
      return false;
    }
    form.submit();
    return true;
  };

  for (const form of document.querySelectorAll("form[data-push]")) {
    form.hidden = false;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const button = form.querySelector("button");
      button.disabled = true;
      button.disabled = await notify(form);
    });
  }

  // The code that proves this device has come to it by itself: nobody has to type it.
  const waiting = document.querySelector("form[data-push-code]");
  if (!waiting) return;
  const field = waiting.querySelector("input[name$='-code']");
  const shown = async () => {
    const registration = await navigator.serviceWorker.getRegistration(SCOPE);
    const notifications = (await registration?.getNotifications({ tag: CODE_TAG })) ?? [];
    return notifications.filter((one) => one.data?.code);
  };
  // One that was wrong stands in the field again, and is not sent twice. Whoever comes later finds no old one.
  const take = async (code) => {
    if (!code || field.value === code) return;
    field.value = code;
    for (const one of await shown()) one.close();
    waiting.requestSubmit();
  };
  navigator.serviceWorker.addEventListener("message", (event) => take(event.data.code));
  navigator.serviceWorker.startMessages();
  // It may have come before this page.
  shown().then(([first]) => take(first?.data.code));
})();
