/** What is true of writes when nothing changes. */
import { SYNC_USER } from "../world/world.ts";
import type { Invariant } from "./invariant.ts";

/** The last half hour of quiet: the first part of it is for what is still to be mended. */
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
      // Who sees no Secret writes each at every poll, as it is.
      if (world.isBlind && resource === "secrets" && isSame) return;
      const writes = written.get(world) ?? [];
      written.set(world, writes);
      writes.push({ at: world.scheduler.now, text: `${verb} ${resource} ${namespace}/${name}` });
      if (writes.length > 2 * MOST) writes.splice(0, MOST);
    });
  },
  atRest: (world) => {
    const since = world.scheduler.now - REST_MS;
    // A window that opens while all else rests brings the restarts that waited for it, and what is told of them.
    const waiting = world.workloads.all().filter(({ controls }) => controls.window !== undefined);
    const isOfWindow = (text: string): boolean =>
      !text.includes(" secrets ") && waiting.some(({ namespace }) => text.includes(` ${namespace}/`));
    const late = (written.get(world) ?? []).filter(({ at, text }) => at > since && !isOfWindow(text));
    // The time of the last check is written again once an hour.
    const counts = new Map<string, number>();
    for (const { text } of late) counts.set(text, (counts.get(text) ?? 0) + 1);
    return [...counts]
      .filter(([text, count]) => !(text.includes("secretproviderclasssyncs") && count <= 1))
      .map(([text, count]) => `${count} x ${text}`);
  },
};

/** Writes of the last half hour are far fewer. */
const MOST = 500;

const written = new WeakMap<object, { readonly at: number; readonly text: string }[]>();
