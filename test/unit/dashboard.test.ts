import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import { Script } from "node:vm";
import { type ClassRow, classRows, filteredRows, vaultRows } from "../../src/cli/dashboard/class-rows.ts";
import { repairs, timeLine } from "../../src/cli/dashboard/events.ts";
import { html } from "../../src/cli/dashboard/html.ts";
import type { KnownClass, KnownEvent, KnownStatus, LiveCopies } from "../../src/cli/dashboard/known.ts";
import type { LiveKind, LiveTrouble } from "../../src/cli/dashboard/live.ts";
import { noticesOf } from "../../src/cli/dashboard/notices.ts";
import { happeningsTable, paged } from "../../src/cli/dashboard/parts.ts";
import { SCRIPT } from "../../src/cli/dashboard/script.ts";
import { VIEWS } from "../../src/cli/dashboard/views.ts";
import { found } from "../../src/cli/doctor/class/leaves.ts";
import type { ObjectRef } from "../../src/domain/kubernetes.ts";
import { SYNC_REASONS, type SyncReason } from "../../src/domain/reasons.ts";
import type { ClassStatus, RotatedCondition, SyncCondition } from "../../src/domain/sync/status-fields.ts";
import { type StoredSecret, statedClassOf } from "../../src/domain/where/stored-versions.ts";
import { runOffline } from "../support/cli/cli.ts";

const SINCE = "2026-01-01T00:00:00Z";

function aClass(name: string, facts: Partial<KnownClass> = {}): KnownClass {
  const times = { generation: 1, createdAt: undefined };
  const read = { namespace: "shop", name, ...times, vault: "https://kv.vault.azure.net", objects: [], secrets: [] };
  return {
    namespace: "shop",
    name,
    generation: 1,
    off: undefined,
    makesSecrets: true,
    shard: { index: 0, count: 1 },
    reading: { kind: "class", read },
    ...facts,
  };
}

const condition = (type: SyncCondition["type"], reason: SyncReason, message = "why"): SyncCondition => ({
  type,
  status: reason === "Synced" ? "True" : "False",
  reason,
  message,
  lastTransitionTime: SINCE,
});

function aStatus(name: string, reason: SyncReason, status: Partial<ClassStatus> = {}): KnownStatus {
  const said = {
    observedClassGeneration: 1,
    conditions: [condition("Synced", reason)],
    syncedSecrets: 1,
    desiredSecrets: 1,
    secrets: [],
    ...status,
  };
  const ref = { namespace: "shop", name };
  return { ...ref, status: said, stated: statedClassOf(ref, said) };
}

function liveKind<T extends ObjectRef>(plural: string, held: readonly T[] = [], trouble?: LiveTrouble): LiveKind<T> {
  return {
    plural,
    list: () => held,
    get: ({ namespace, name }) => held.find((each) => each.namespace === namespace && each.name === name),
    trouble: () => trouble,
    narrowedTo: () => undefined,
    unseen: () => (trouble?.kind === "refused" ? trouble.why : undefined),
  };
}

const LOADING: LiveTrouble = { kind: "loading" };

const rowsOf = (classes: readonly KnownClass[], statuses: readonly KnownStatus[] = []): readonly ClassRow[] =>
  classRows({
    classes: liveKind("classes", classes),
    classStatuses: liveKind("statuses", statuses),
    secrets: liveKind<StoredSecret>("secrets", [], LOADING),
  });

const only = (spc: KnownClass, ...statuses: readonly KnownStatus[]): ClassRow => {
  const [row] = rowsOf([spc], statuses);
  assert.ok(row !== undefined);
  return row;
};

describe("a class on the dashboard", () => {
  test("comes the sooner the worse it is, then by name", () => {
    const names = ["fine", "bad", "absent", "also-bad"];
    const statuses = [aStatus("fine", "Synced"), aStatus("bad", "Forbidden"), aStatus("also-bad", "Throttled")];
    const rows = rowsOf(
      names.map((name) => aClass(name)),
      statuses,
    );

    assert.deepEqual(
      rows.map(({ name, state, reason }) => `${state} ${name} ${reason}`),
      ["FAIL also-bad Throttled", "FAIL bad Forbidden", "WARN absent status-absent", "OK fine Synced"],
    );
  });

  test("has what doctor says is to be done, and nothing where nothing is", () => {
    assert.equal(
      only(aClass("web"), aStatus("web", "Forbidden")).next,
      "Do what the status says (Forbidden: why); for details, run keyvault-injector explain spc/web -n shop.",
    );
    assert.equal(only(aClass("web"), aStatus("web", "Synced")).next, undefined);
  });

  test("says that it is out of date, off, unreadable or unseen", () => {
    assert.equal(only(aClass("web", { generation: 2 }), aStatus("web", "Synced")).reason, "status-outdated");
    assert.equal(only(aClass("web", { off: "its sync mode is never" })).reason, "status-off");
    const unreadable = only(
      aClass("web", { reading: { kind: "unreadable" }, refused: found("class-invalid", "objects: no YAML", "?") }),
      aStatus("web", "InvalidClass"),
    );
    assert.deepEqual([unreadable.state, unreadable.reason, unreadable.message], ["FAIL", "class-invalid", "objects: no YAML"]);
    const placeholder = found("class-invalid", "spec.parameters.keyvaultName: <name> is no name of a vault", "Write it.");
    const written = only(aClass("web", { off: "it has no secretObjects", makesSecrets: false, refused: placeholder }));
    assert.deepEqual([written.state, written.reason, written.next], ["FAIL", "class-invalid", "Write it."]);
    const refused: LiveTrouble = { kind: "refused", why: "you lack permission to list them", hasOlder: false };
    const [unseen] = classRows({
      classes: liveKind("classes", [aClass("web")]),
      classStatuses: liveKind<KnownStatus>("statuses", [], refused),
      secrets: liveKind<StoredSecret>("secrets"),
    });
    assert.deepEqual([unseen?.state, unseen?.reason], ["SKIP", "status-unreadable"]);
  });

  test("is a warning where its Secrets are up to date and its checks are not, or its restarts are held", () => {
    const conditions = [condition("Synced", "Synced"), condition("Fresh", "Stale", "no successful check")];
    const stale = only(aClass("web"), aStatus("web", "Synced", { conditions }));
    assert.deepEqual([stale.state, stale.reason, stale.message], ["WARN", "Stale", "Stale: no successful check"]);
    const rotated: RotatedCondition = {
      type: "Rotated",
      status: "False",
      reason: "Paused",
      message: "Deployment web",
      lastTransitionTime: SINCE,
    };
    const held = only(aClass("web"), aStatus("web", "Synced", { conditions: [condition("Synced", "Synced"), rotated] }));
    assert.deepEqual([held.state, held.reason], ["WARN", "Paused"]);
    assert.match(held.runbook, /restarts-held\.md$/);
  });

  test("fails where a Secret that was written is not there, unless the class is off or Secrets are not seen", () => {
    const status = aStatus("web", "Synced", { secrets: [{ name: "db", state: "Synced", data: [{ key: "password", version: "v1" }] }] });
    const stateOf = (held: readonly StoredSecret[], trouble?: LiveTrouble, spc = aClass("web")) => {
      const [row] = classRows({
        classes: liveKind("classes", [spc]),
        classStatuses: liveKind("statuses", [status]),
        secrets: liveKind("secrets", held, trouble),
      });
      return `${row?.state} ${row?.reason}`;
    };
    const held = { namespace: "shop", name: "db", className: "web", versions: [], writtenAt: undefined, createdAt: undefined };

    assert.equal(stateOf([]), "FAIL secret-absent");
    assert.equal(stateOf([held]), "OK Synced");
    assert.equal(stateOf([], LOADING), "OK Synced");
    assert.equal(stateOf([], { kind: "refused", why: "no", hasOlder: false }), "OK Synced");
    assert.equal(stateOf([], undefined, aClass("web", { off: "its sync mode is never" })), "OK status-off");
  });

  test("links a runbook that is there, whatever is wrong", () => {
    const rows = [
      ...SYNC_REASONS.map((reason) => only(aClass("web"), aStatus("web", reason))),
      only(aClass("web")),
      only(aClass("web", { reading: { kind: "unreadable" } })),
    ];
    for (const { runbook } of rows) {
      const file = runbook.replace("https://keyvault-injector.dev/", "");
      assert.ok(existsSync(path.resolve(import.meta.dirname, "../..", file)), runbook);
    }
  });

  test("is found by its namespace, state, and any word of it", () => {
    const rows = rowsOf([aClass("web"), aClass("mail")], [aStatus("web", "Forbidden"), aStatus("mail", "Synced")]);
    const found = (filter: Partial<Parameters<typeof filteredRows>[1]>) =>
      filteredRows(rows, { namespace: "", text: "", state: "", ...filter }).map(({ name }) => name);

    assert.deepEqual(found({}), ["web", "mail"]);
    assert.deepEqual(found({ namespace: "other" }), []);
    assert.deepEqual(found({ state: "OK" }), ["mail"]);
    assert.deepEqual(found({ text: "FORBIDDEN" }), ["web"]);
  });

  test("counts for its vault, by what keeps the worker from asking it", () => {
    const classes = [aClass("web"), aClass("mail")];
    const rows = rowsOf(classes, [aStatus("web", "Throttled"), aStatus("mail", "Synced")]);

    assert.deepEqual(vaultRows(classes, rows), [
      { vault: "https://kv.vault.azure.net", classes: 2, objects: 0, throttled: 1, unreachable: 0 },
    ]);
  });
});

describe("what happened, on the dashboard", () => {
  const event = (reason: KnownEvent["reason"], at: number): KnownEvent => ({
    namespace: "shop",
    kind: "Deployment",
    name: "web",
    reason,
    isWarning: false,
    message: reason,
    at,
    count: 1,
  });
  const key = { key: "password", object: "secret/db", version: "v2", since: SINCE };
  const rotated = aStatus("web", "Synced", { secrets: [{ name: "db", state: "Synced", data: [key] }] });

  test("is new versions by statuses and restarts by events, the last first", () => {
    const events = [event("Restarted", Date.parse(SINCE) + 1), event("SecretRepaired", 5), event("Rotated", 1)];

    assert.deepEqual(
      timeLine(events, [rotated]).map(({ reason, message }) => `${reason}: ${message}`),
      ["Restarted: Restarted", "NewVersion: secret/db has version v2 in key password of Secret db", "Rotated: Rotated"],
    );
  });

  test("is repairs by events, and fights for as long as a status tells of them", () => {
    const fought = aStatus("web", "Contested", { secrets: [{ name: "db", state: "Contested", message: "changed by x", data: [] }] });

    assert.deepEqual(
      repairs([event("SecretRepaired", 5), event("Restarted", 9)], [fought, rotated]).map(({ reason }) => reason),
      ["Contested", "SecretRepaired"],
    );
  });
});

describe("A19-8: a table of what happened", () => {
  test("does not pass an event's words off as the worker's", () => {
    const { text } = happeningsTable("What happened", []);

    assert.match(text, /Anyone who may create events .* in the worker's name/);
    assert.doesNotMatch(text.slice(text.indexOf("<table")), /worker/);
  });
});

describe("a page of the dashboard", () => {
  test("shows what others wrote as text, on one line, and without marks of direction", () => {
    const others = '<script>alert("1")</script>\n\u202E&\'';

    assert.equal(html`<td title="${others}">${others}</td>`.text, html`<td title="${others}">${html`${others}`}</td>`.text);
    assert.equal(html`${others}`.text, "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp;&#39;");
    assert.equal(html`${[html`<b>${1}</b>`, html`<b>${"<"}</b>`]}${undefined}`.text, "<b>1</b><b>&lt;</b>");
  });

  test("has a hundred rows of ten thousand, and the ways to the others", () => {
    const all = Array.from({ length: 10_000 }, (_, index) => index);
    const ask = (page: string) => paged(all, "classes", new URLSearchParams({ ns: "shop", part: "1", page }));

    assert.deepEqual([ask("1").shown.length, ask("1").shown[0], ask("100").shown.at(-1)], [100, 0, 9_999]);
    assert.match(ask("2").pager.text, /101 to 200 of 10000.*page=1".*page=3"/s);
    assert.doesNotMatch(ask("2").pager.text, /part=/);
    for (const wrong of ["0", "-1", "1.5", "x"]) assert.equal(ask(wrong).shown[0], 0);
    assert.equal(ask("101").shown[0], 9_900);
  });

  test("has a script that a browser can read, and each view a path of its own", () => {
    assert.ok(new Script(SCRIPT));
    assert.equal(new Set(VIEWS.map(({ path }) => path)).size, VIEWS.length);
  });
});

describe("notices above a view", () => {
  const kind = (plural: string, trouble?: LiveTrouble): LiveKind<never> => liveKind(plural, [], trouble);
  const textsOf = (...kinds: readonly LiveKind<never>[]) => {
    const loading = { lease: kind("leases", LOADING) };
    const copies = { ...loading, ...Object.fromEntries(kinds.map((each) => [each.plural, each])) } as unknown as LiveCopies; // The code reads only these copies.
    return noticesOf({ copies, now: 0 }).map(({ text }) => text.text.replaceAll(/<[^>]*>/g, ""));
  };

  test("say once that the credentials have expired, and once since when the API server is lost", () => {
    const expired: LiveTrouble = { kind: "refused", why: "sign in again", hasOlder: true };
    assert.deepEqual(textsOf(kind("pods", expired), kind("secrets", expired)), [
      "Loading leases.",
      "Sign in again: the page shows the last known state.",
    ]);
    const lost = (since: number): LiveTrouble => ({ kind: "lost", since, why: "connection refused" });
    assert.deepEqual(textsOf(kind("pods", lost(120_000)), kind("secrets", lost(60_000))), [
      "No answer from the API server since 1970-01-01 00:01:00Z (connection refused). The page shows the last known state. It retries automatically.",
      "Loading leases.",
    ]);
  });

  test("name what the API server does not serve", () => {
    assert.deepEqual(textsOf(kind("secretproviderclasspodstatuses", { kind: "unserved" })), [
      "Loading leases.",
      "The API server serves no secretproviderclasspodstatuses.",
    ]);
  });
});

describe("the command", () => {
  test("refuses a port that is none, and needs a cluster", async () => {
    for (const port of ["x", "0", "65536", "80 ", "1e3"]) {
      const { code, output, notes } = await runOffline(["dashboard", `--port=${port}`]);
      assert.deepEqual([code, output], [2, ""]);
      assert.match(notes[0] ?? "", /--port: .* is not a port; write a number from 1 to 65535$/);
    }
    assert.deepEqual((await runOffline(["dashboard"])).notes, ["keyvault-injector dashboard: no cluster here"]);
  });
});
