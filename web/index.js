// Fills the state of the server into the landing page: one question to /healthz, and the example gets this server's address.
"use strict";

const LABELS = { version: "Version", database: "Database", uptime_s: "Running for", time: "Server time" };

function duration(seconds) {
  const days = Math.floor(seconds / 86400);
  const hours = Math.floor((seconds % 86400) / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  if (days > 0) return `${days} d ${hours} h`;
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min` : `${Math.floor(seconds)} s`;
}

// 2026-11-23T01:56:06.817Z → 2026-11-23 01:56:06 UTC
function clock(text) {
  return text.replace("T", " ").replace(/(\.\d+)?Z$/, " UTC");
}

const WRITERS = { uptime_s: (value) => duration(Number(value)), time: clock };

function showFigures(health) {
  const list = document.getElementById("figures");
  for (const [key, label] of Object.entries(LABELS)) {
    if (!(key in health)) continue;
    const term = document.createElement("dt");
    const value = document.createElement("dd");
    term.textContent = label;
    value.textContent = (WRITERS[key] ?? String)(health[key]);
    list.append(term, value);
  }
}

function showState(text, name) {
  const state = document.getElementById("state");
  state.textContent = text;
  state.dataset.state = name;
}

async function main() {
  const example = document.getElementById("example");
  example.textContent = example.textContent.replaceAll("http://localhost:8000", location.origin);
  try {
    const answer = await fetch("/healthz", { headers: { Accept: "application/json" } });
    const health = await answer.json();
    showState(answer.ok ? "Ready and answering" : "Up, but not healthy", answer.ok ? "good" : "bad");
    showFigures(health);
  } catch {
    showState("No answer from the server", "bad");
  }
}

main();
