"use strict";
// Looks at the page's state once a second; where its stamp changed, fetches the page anew and puts its live part in place.
(function () {
  const every = 700;
  const live = () => document.getElementById("live");

  async function refresh() {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("live");
    const old = live();
    if (!fresh || !old) return;
    const known = new Set(Array.from(old.querySelectorAll("[data-new]"), (e) => e.dataset.new));
    const open = new Set(Array.from(old.querySelectorAll("details[open][id]"), (e) => e.id));
    const focused = document.activeElement && document.activeElement.dataset.key;
    fresh.querySelectorAll("[data-new]").forEach((e) => { if (!known.has(e.dataset.new)) e.classList.add("arrived"); });
    fresh.querySelectorAll("details[id]").forEach((e) => { if (open.has(e.id)) e.open = true; });
    old.replaceWith(fresh);
    if (focused) {
      const again = Array.from(fresh.querySelectorAll("[data-key]")).find((e) => e.dataset.key === focused);
      if (again) again.focus({ preventScroll: true });
    }
  }

  async function look() {
    try {
      const state = await (await fetch(document.body.dataset.state)).json();
      if (live() && state.stamp !== live().dataset.stamp) await refresh();
      document.body.classList.remove("away");
    } catch (error) {
      document.body.classList.add("away");
    }
    setTimeout(look, every);
  }

  document.addEventListener("submit", async (event) => {
    if (event.target.method !== "post") return;
    event.preventDefault();
    const button = event.submitter;
    if (button) button.disabled = true;
    const values = new URLSearchParams(new FormData(event.target));
    if (button && button.name) values.append(button.name, button.value);
    try {
      await fetch(event.target.action, { method: "POST", body: values, redirect: "manual" });
      await refresh();
    } finally {
      if (button) button.disabled = false;
    }
  });

  document.addEventListener("change", (event) => {
    if (event.target.matches("select[data-go]")) event.target.form.submit();
  });

  setTimeout(look, every);
})();
