import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { LiveCopies } from "../../src/cli/dashboard/known.ts";
import { followKind, type LiveTrouble, type Watching } from "../../src/cli/dashboard/live.ts";
import { createSite } from "../../src/cli/dashboard/site.ts";
import { RESOURCES } from "../../src/domain/kubernetes.ts";
import { KubeError, type KubeErrorCode } from "../../src/domain/ports/kube-error.ts";
import type { Reflector, ReflectorOptions } from "../../src/domain/ports/kube-watcher.ts";
import { ManualClock } from "../support/time/manual-clock.ts";

describe("a kind that the dashboard watches", () => {
  function world(within?: string) {
    const clock = new ManualClock();
    let ahead = 0;
    const machine = { now: () => clock.now() + ahead, sleep: () => Promise.resolve() };
    const asked: ReflectorOptions<string>[] = [];
    const copy = { lastActivity: clock.now(), hasSynced: false, isUnserved: false, list: () => [] };
    let news = 0;
    const watching: Watching = {
      watcher: {
        reflect: <T>(options: ReflectorOptions<T>) => {
          asked.push(options as unknown as ReflectorOptions<string>); // The test checks one kind only.
          return copy as unknown as Reflector<T>; // The code reads nothing else of the copy.
        },
      },
      clock: machine,
      within,
      fallback: "shop",
      onNews: () => void news++,
      signal: new AbortController().signal,
    };
    const kind = followKind<string>(watching, { resource: RESOURCES.pods, project: ({ metadata }) => metadata.name });
    const fail = async (code: KubeErrorCode): Promise<void> => {
      await clock.advance(1_000);
      asked.at(-1)?.observer?.failed?.(new KubeError(code, "no answer", { retry: { kind: "backoff" } }));
    };
    const answer = async (): Promise<void> => {
      await clock.advance(1_000);
      Object.assign(copy, { lastActivity: machine.now(), hasSynced: true });
    };
    const set = (by: number): void => void (ahead += by);
    return { clock, set, asked, kind, fail, answer, news: () => news };
  }

  test("is looked at in the kubeconfig's namespace where the user may not list it in all, and says so", async () => {
    const { asked, kind, fail, answer } = world();
    await fail("Forbidden");

    assert.deepEqual([asked.at(-1)?.namespace, kind.narrowedTo(), kind.trouble()?.kind], ["shop", "shop", "loading"]);
    await answer();
    assert.deepEqual(
      [kind.trouble(), kind.unseen("shop"), kind.unseen("other")],
      [undefined, undefined, "you lack permission to list pods in other"],
    );
    await fail("Forbidden");
    assert.deepEqual(kind.trouble(), { kind: "refused", why: "you lack permission to list and watch pods in shop", hasOlder: true });
    assert.equal(asked.length, 2);
  });

  test("is not narrowed for a right that was there before, and shows what it knew", async () => {
    const { asked, kind, fail, answer } = world();
    await answer();
    await fail("Forbidden");

    assert.deepEqual([asked.length, kind.narrowedTo(), kind.unseen("other")], [1, undefined, undefined]);
    assert.deepEqual(kind.trouble(), { kind: "refused", why: "you lack permission to list and watch pods", hasOlder: true });
    await answer();
    assert.equal(kind.trouble(), undefined);
  });

  test("stays in the namespace that was named", async () => {
    const { asked, kind, fail } = world("billing");
    await fail("Forbidden");

    assert.deepEqual([asked.length, kind.narrowedTo()], [1, undefined]);
    assert.deepEqual(kind.trouble(), { kind: "refused", why: "you lack permission to list and watch pods in billing", hasOlder: false });
  });

  test("is lost since the first of its failures in a row, and found again by an answer", async () => {
    const { clock, kind, fail, answer } = world();
    await answer();
    await fail("Unavailable");
    const since = clock.now();
    await fail("Unavailable");

    assert.deepEqual(kind.trouble(), { kind: "lost", since, why: "no answer; check the kubeconfig's server, or the network" });
    await answer();
    assert.equal(kind.trouble(), undefined);
    await fail("Unavailable");
    assert.deepEqual((kind.trouble() as { since?: number }).since, clock.now());
  });

  test("R20-8: is found again by an answer though the machine's clock was set back", async () => {
    const { set, kind, fail, answer } = world();
    await answer();
    await fail("Unavailable");
    set(-3_600_000);
    assert.equal(kind.trouble()?.kind, "lost");

    await answer();

    assert.equal(kind.trouble(), undefined);
  });

  test("R20-8: is lost by a failure though the machine's clock was set back before it", async () => {
    const { set, kind, fail, answer } = world();
    await answer();
    set(-3_600_000);
    await fail("Unavailable");

    assert.equal(kind.trouble()?.kind, "lost");
  });

  test("is news only where something that is shown has changed", async () => {
    const { asked, news } = world();
    asked[0]?.onChange?.({ name: "web" }, { previous: "web", current: "web" });
    assert.equal(news(), 0);
    asked[0]?.onChange?.({ name: "web" }, { previous: undefined, current: "web" });
    assert.equal(news(), 1);
  });
});

describe("the dashboard", () => {
  test("tells its pages once a minute, because objects expire and the kubelet copies without anybody's telling", async () => {
    const clock = new ManualClock();
    const stop = new AbortController();
    let reported = 0;
    const lease = { plural: "leases", trouble: () => ({ kind: "loading" }), narrowedTo: () => undefined };
    const copies = { lease } as unknown as LiveCopies; // The code watches nothing else.
    const site = createSite({ copies, clock, server: "", within: undefined, onNews: () => void reported++ });
    const telling = site.keepSending(stop.signal);
    await clock.advance(1_000);
    const before = reported;
    for (let second = 0; second < 58; second++) await clock.advance(1_000);

    assert.equal(reported, before + 1);
    stop.abort();
    await telling;
  });

  test("R20-8: makes the usages of objects anew though the machine's clock was set back", async () => {
    const manual = new ManualClock();
    let ahead = 0;
    const clock = { now: () => manual.now() + ahead, monotonic: () => manual.now(), sleep: () => Promise.resolve() };
    let checked = 0;
    const kind = { list: () => [], get: () => undefined, trouble: () => undefined, narrowedTo: () => undefined, unseen: () => undefined };
    const pods = { ...kind, plural: "pods", list: () => (checked++, []) };
    const names = ["classes", "classStatuses", "secrets", "podStatuses", "events", "lease"];
    const copies = { ...Object.fromEntries(names.map((plural) => [plural, { plural, ...kind }])), pods } as unknown as LiveCopies; // All other lists are empty.
    const site = createSite({ copies, clock, server: "", within: undefined, onNews: () => undefined });
    const renderPart = () => site.render("objects", new URLSearchParams({ part: "1" }));
    renderPart();
    const before = checked;

    ahead -= 3_600_000;
    await manual.advance(60_000);
    site.noteNews();
    renderPart();

    assert.ok(checked > before, "what it shows is of an hour ago");
  });

  test("tells its pages of an outage's end that came within the second in which they showed it", async () => {
    const clock = new ManualClock();
    const stop = new AbortController();
    let reported = 0;
    let trouble: LiveTrouble | undefined;
    const names = ["classes", "classStatuses", "secrets", "pods", "podStatuses", "events", "lease"];
    const kind = { list: () => [], get: () => undefined, trouble: () => trouble, narrowedTo: () => undefined, unseen: () => undefined };
    const copies = Object.fromEntries(names.map((plural) => [plural, { plural, ...kind }])) as unknown as LiveCopies; // All lists are empty.
    const site = createSite({ copies, clock, server: "", within: undefined, onNews: () => void reported++ });
    const shown = () => site.render("classes", new URLSearchParams({ part: "1" }))?.text ?? "";
    const telling = site.keepSending(stop.signal);
    await clock.advance(1_000);
    shown();
    await clock.advance(1_000);
    const before = reported;

    await clock.advance(200);
    trouble = { kind: "lost", since: clock.now(), why: "connection reset" };
    assert.match(shown(), /No answer from the API server/);
    await clock.advance(200);
    trouble = undefined;
    await clock.advance(1_000);

    assert.equal(reported, before + 1);
    assert.doesNotMatch(shown(), /No answer from the API server/);
    await clock.advance(2_000);
    assert.equal(reported, before + 1, "and then there is nothing more to tell");
    stop.abort();
    await telling;
  });
});
