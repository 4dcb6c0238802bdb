/** Writes when nothing changes. */
import { SYNC_USER } from "../world/world.ts";
import type { Invariant } from "./invariant.ts";

/** The last 20 minutes of the quiet time. Before that, the worker can still make repairs. */
export const REST_MS = 20 * 60_000;

export const nothingAtRest: Invariant = {
  name: "no write at rest",
  watch: (world) => {
    const versions = new Map<string, number>();
    world.onWrite(({ user, resource, isDryRun, namespace = "", name, verb, resourceVersion }) => {
      if (isDryRun) return;
      const key = `${resource} ${namespace}/${name}`;
      const isSame = versions.get(key) === resourceVersion;
      versions.set(key, resourceVersion);
      if (user !== SYNC_USER || resource === "leases.coordination.k8s.io") return;
      // A blind worker writes each Secret at every poll, even if it is unchanged.
      if (world.isBlind && resource === "secrets" && isSame) return;
      const writes = written.get(world) ?? [];
      written.set(world, writes);
      writes.push({ at: world.scheduler.now, text: `${verb} ${resource} ${namespace}/${name}` });
      if (writes.length > 2 * MOST) writes.splice(0, MOST);
    });
  },
  atRest: (world) => {
    const since = world.scheduler.now - REST_MS;
    // A window that opens at rest causes the restarts that waited for it, and their status and events.
    const waiting = world.workloads.all().filter(({ controls }) => controls.window !== undefined);
    const isOfWindow = (text: string): boolean =>
      !text.includes(" secrets ") && waiting.some(({ namespace }) => text.includes(` ${namespace}/`));
    const late = (written.get(world) ?? []).filter(({ at, text }) => at > since && !isOfWindow(text));
    // The worker writes the time of the last check again once an hour.
    const counts = new Map<string, number>();
    for (const { text } of late) counts.set(text, (counts.get(text) ?? 0) + 1);
    return [...counts]
      .filter(([text, count]) => !(text.includes("secretproviderclasssyncs") && count <= 1))
      .map(([text, count]) => `${count} x ${text}`);
  },
};

/** At rest, the worker makes far fewer writes than this. */
const MOST = 500;

const written = new WeakMap<object, { readonly at: number; readonly text: string }[]>();
