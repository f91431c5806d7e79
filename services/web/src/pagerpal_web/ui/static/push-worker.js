// What a browser runs when a page comes: it shows a notification, and a tap on that opens PagerPal. It lives below
// /static/, so it stands between no page and its server.
"use strict";

const HOME = "/incidents";

// A push that cannot be read is shown all the same: browsers end subscriptions that show nothing.
const read = (event) => {
  try {
    return event.data.json() ?? {};
  } catch {
    return {};
  }
};

const show = async (said) => {
  const options = {
    body: said.body ?? "Open it to see what.",
    icon: "/static/icon-192.png",
    data: { path: said.path ?? HOME, ack: said.ack ?? null, code: said.code ?? null },
    requireInteraction: true,
    vibrate: [400, 200, 400, 200, 400],
  };
  if (said.tag) Object.assign(options, { tag: said.tag, renotify: true });
  if (said.ack) options.actions = [{ action: "ack", title: "Acknowledge" }];
  await self.registration.showNotification(said.title ?? "PagerPal has something for you", options);
  if (!said.code) return;
  for (const page of await self.clients.matchAll({ type: "window", includeUncontrolled: true })) {
    page.postMessage({ code: said.code });
  }
};

// Where a tap leads: to ourselves, or to the list of incidents.
const target = (path) => {
  const url = new URL(path, self.location.origin);
  return url.origin === self.location.origin ? url.href : new URL(HOME, self.location.origin).href;
};

const open = async (url) => {
  for (const page of await self.clients.matchAll({ type: "window", includeUncontrolled: true })) {
    if (page.url === url) return page.focus();
  }
  return self.clients.openWindow(url);
};

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("push", (event) => event.waitUntil(show(read(event))));
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const { path, ack } = event.notification.data;
  event.waitUntil(open(target(event.action === "ack" && ack ? ack : path)));
});
