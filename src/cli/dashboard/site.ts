import type { Clock } from "../../domain/ports/clock.ts";
import { objectUsages } from "../../domain/where/object-usage.ts";
import type { ObjectUsage } from "../../domain/where/usage.ts";
import { type ClassRow, classRows } from "./class-rows.ts";
import { snapshotIn } from "./copies.ts";
import type { Html } from "./html.ts";
import type { LiveCopies } from "./known.ts";
import { document, fragment } from "./layout.ts";
import type { Model } from "./model.ts";
import { noticesOf } from "./notices.ts";
import { SCRIPT } from "./script.ts";
import type { Page } from "./server.ts";
import { STYLE } from "./style.ts";
import { VIEWS } from "./views.ts";

export interface Surroundings {
  readonly copies: LiveCopies;
  readonly clock: Clock;
  /** For people: which API server. */
  readonly server: string;
  /** The one namespace that is looked at. */
  readonly within: string | undefined;
  /** Pages that are open are out of date. */
  readonly onNews: () => void;
}

export interface Site {
  render(path: string, query: URLSearchParams): Page | undefined;
  noteNews(): void;
  /** Until the signal aborts, tells of what changes by time alone: an API server that is lost, a lease that is not renewed. */
  keepTelling(signal: AbortSignal): Promise<void>;
}

const TICK_MS = 1_000;

/** What depends on the time of day is made anew this often: what has expired, and what the kubelet has copied by now. */
const AGE_TICKS = 60;

/** Usages of thousands of objects take part of a second: no more than this share of the time is spent on them. */
const USAGE_SHARE = 0.1;

export function createSite({ copies, clock, server, within, onNews }: Surroundings): Site {
  let version = 0;
  let rows: { readonly version: number; readonly rows: readonly ClassRow[] } | undefined;
  let usages: { readonly version: number; readonly freshUntil: number; readonly usages: readonly ObjectUsage[] } | undefined;
  let areUsagesOwed = false;
  const rowsNow = (): readonly ClassRow[] => {
    if (rows?.version !== version) rows = { version, rows: classRows(copies) };
    return rows.rows;
  };
  const usagesNow = (): readonly ObjectUsage[] => {
    const started = clock.now();
    if (usages !== undefined && (usages.version === version || started < usages.freshUntil)) {
      areUsagesOwed ||= usages.version !== version;
      return usages.usages;
    }
    const found = objectUsages(snapshotIn(copies, started), () => true);
    const ended = clock.now();
    areUsagesOwed = false;
    usages = { version, freshUntil: ended + (ended - started) / USAGE_SHARE, usages: found };
    return found;
  };
  return {
    render: (path, query) => {
      if (path === "script.js") return { type: "text/javascript", text: SCRIPT };
      if (path === "style.css") return { type: "text/css", text: STYLE };
      const view = VIEWS.find(({ path: known }) => known === (path === "" ? "classes" : path));
      if (view === undefined) return undefined;
      const model: Model = { copies, rows: rowsNow(), usages: usagesNow, now: clock.now() };
      const content: Html = fragment(noticesOf(model), view.render(model, query), model);
      const text = query.get("part") === null ? document(view, content, { query, server, within }).text : content.text;
      return { type: "text/html", text };
    },
    noteNews: () => {
      version++;
      onNews();
    },
    keepTelling: async (signal) => {
      let told = "";
      for (let tick = 1; !signal.aborted; tick++) {
        const isAged = tick % AGE_TICKS === 0;
        if (isAged) version++;
        const model = { copies, now: clock.now() };
        const health = noticesOf(model)
          .map(({ key }) => key)
          .join(" ");
        const isOwed = areUsagesOwed && clock.now() >= (usages?.freshUntil ?? 0);
        if (health !== told || isOwed || isAged) onNews();
        told = health;
        await clock.sleep(TICK_MS, signal).catch(() => undefined);
      }
    },
  };
}
