import { judgeLease } from "../doctor/checks/install.ts";
import { NO_CLASSES_SERVED } from "../shared/absence.ts";
import { runbookOf } from "./class-rows.ts";
import { type Html, html, time } from "./html.ts";
import type { LiveCopies } from "./known.ts";
import type { LiveKind } from "./live.ts";

/** Sentence above every view. */
export interface DashboardNotice {
  readonly level: "problem" | "note";
  /** Stays the same while the notice says the same, even if the time in it changes. */
  readonly key: string;
  readonly text: Html;
  /** Text for users of screen readers; absent if the notice is not worth an interruption. */
  readonly spoken?: string;
}

/** Returns a notice for each kind that is not fully known, with the reason, and one if no worker leads. */
export function noticesOf({ copies, now }: { readonly copies: LiveCopies; readonly now: number }): readonly DashboardNotice[] {
  const kinds: readonly LiveKind<unknown>[] = Object.values(copies);
  const all = [...lost(kinds), ...loading(kinds), ...kinds.flatMap(notSeen), ...leader(copies, now)];
  // The API server refuses expired credentials for every kind in the same words, so equal notices appear once.
  return [...new Map(all.map((notice) => [notice.key, notice])).values()];
}

function lost(kinds: readonly LiveKind<unknown>[]): readonly DashboardNotice[] {
  const troubles = kinds.flatMap((kind) => kind.trouble() ?? []).filter((trouble) => trouble.kind === "lost");
  const [first] = troubles.sort((a, b) => a.since - b.since);
  if (first === undefined) return [];
  const text = html`No answer from the API server since ${time(first.since)} (${first.why}). The page shows the last known state. It retries automatically.`;
  return [{ level: "problem", key: `lost ${first.since}`, text, spoken: "No answer from the API server" }];
}

function loading(kinds: readonly LiveKind<unknown>[]): readonly DashboardNotice[] {
  const names = kinds.filter((kind) => kind.trouble()?.kind === "loading").map(({ plural }) => plural);
  return names.length === 0 ? [] : [{ level: "note", key: `loading ${names.join()}`, text: html`Loading ${names.join(", ")}.` }];
}

function notSeen(kind: LiveKind<unknown>): readonly DashboardNotice[] {
  const { plural } = kind;
  const [trouble, narrowed] = [kind.trouble(), kind.narrowedTo()];
  const note = (key: string, text: Html): DashboardNotice => ({ level: "note", key, text });
  const where =
    narrowed === undefined
      ? []
      : [
          note(
            `narrowed ${plural}`,
            html`You lack permission to list ${plural} in all namespaces: only those of ${narrowed} are shown. Use -n for another namespace.`,
          ),
        ];
  if (trouble?.kind === "unserved") {
    const why = plural === "secretproviderclasses" ? NO_CLASSES_SERVED : `the API server serves no ${plural}`;
    return [note(`unserved ${plural}`, html`${sentence(why)}.`)];
  }
  if (trouble?.kind !== "refused") return where;
  const shown = trouble.hasOlder ? "the page shows the last known state" : "the page does not show them";
  return [note(`${trouble.why} ${trouble.hasOlder}`, html`${sentence(trouble.why)}: ${shown}.`)];
}

function leader({ lease }: LiveCopies, now: number): readonly DashboardNotice[] {
  if (lease.trouble() !== undefined) return [];
  const leases = lease.list();
  const count = leases.find(({ shard }) => shard === 0)?.shards ?? 1;
  const judged = Array.from({ length: count }, (_, index) =>
    judgeLease(leases.find(({ shard }) => shard === index)?.spec, now, { index, count }),
  );
  const bad = judged.find(({ state }) => state !== "OK");
  if (bad === undefined) return [];
  const { message, fix = "" } = bad;
  const text = html`${count === 1 ? "No worker leads" : "Not every shard has a leading worker"}: ${message}. To do: ${fix}. <a href="${runbookOf("no-leader")}" rel="noreferrer">Runbook: no leader</a>`;
  return [{ level: "problem", key: "no leader", text, spoken: "No worker leads" }];
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
