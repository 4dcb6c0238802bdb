/** Some minutes of a cluster's life under Prometheus: rotations, an object that is disabled for a while, a deleted and an edited Secret, new pods. */
import { aPod, OPTED_IN, prefixed } from "../support/fixtures/pods.ts";
import { eventually } from "../support/time/eventually.ts";
import {
  askNow,
  classOf,
  createClass,
  mergePatch,
  opaque,
  reasonIs,
  type SyncWorld,
  secretPath,
  send,
} from "../support/worker/sync-world.ts";
import type { Prometheus, Range } from "./prometheus.ts";

const NAMES = ["web", "search", "mail", "ledger", "reports", "archive", "billing", "login"] as const;
const MINUTES = 16;
const TICK_MS = 5_000;
/** Ticks between two rotations, and the ticks at which something special happens. */
const ROTATION = 4;
const DISABLED = 84;
const ENABLED = 120;
const DELETED = 100;
const EDITED = 150;
/** The queries average over five minutes: seconds until they have as many samples. */
const LEFT_OUT = 300;
const DAYS_TO_EXPIRY: Readonly<Record<string, number>> = { web: 12, ledger: 3, reports: 200 };

/** Resolves with the time that the picture shows. */
export async function monitoredRun(world: SyncWorld, prometheus: Prometheus): Promise<Range> {
  const { plane, product } = world;
  prometheus.add("keyvault-injector-webhook-1", await product.start("webhook", { within: 180_000 }));
  const sync = { within: 180_000, args: ["--rotation-poll-interval=30s"] };
  prometheus.add("keyvault-injector-sync-1", await product.start("sync", sync));
  prometheus.add("keyvault-injector-sync-2", await product.start("sync", sync));
  const namespace = await world.namespace();
  for (const name of NAMES) {
    await setValue(world, name, { version: 0 });
    await createClass(plane, classOf(world, { namespace, name, objects: [name], secretObjects: [opaque(name, name)] }));
  }
  for (const name of NAMES) await reasonIs(plane, { namespace, name }, "Synced", { within: 120_000 });
  const from = Date.now() / 1_000;
  for (let tick = 0; tick < (MINUTES * 60_000) / TICK_MS; tick++) {
    const next = performance.now() + TICK_MS;
    await happen(world, namespace, tick);
    await eventually(() => performance.now() >= next, { what: "the next tick" });
  }
  return { from: from + LEFT_OUT, to: Date.now() / 1_000 };
}

async function happen(world: SyncWorld, namespace: string, tick: number): Promise<void> {
  const { plane } = world;
  const pod = aPod(prefixed({ ...OPTED_IN, "secret-provider-class": tick % 12 === 11 ? "absent" : (NAMES[tick % NAMES.length] ?? "") }));
  // The API server refuses the pod whose class is absent.
  await send(plane, { method: "POST", path: `/api/v1/namespaces/${namespace}/pods?dryRun=All`, body: pod }).catch(() => undefined);
  if (tick % ROTATION === 0) {
    const name = NAMES[(tick / ROTATION) % NAMES.length] ?? "web";
    await setValue(world, name, { version: tick, enabled: name !== "archive" || tick < DISABLED || tick >= ENABLED });
    await askNow(plane, { namespace, name });
  }
  if (tick === DISABLED || tick === ENABLED) {
    await setValue(world, "archive", { version: tick, enabled: tick === ENABLED });
    await askNow(plane, { namespace, name: "archive" });
  }
  if (tick === DELETED) await send(plane, { method: "DELETE", path: secretPath(namespace, "mail") });
  if (tick === EDITED) await mergePatch(plane, secretPath(namespace, "search"), { data: { value: "ZWRpdGVk" } });
}

async function setValue(
  { emulator, vault }: SyncWorld,
  name: string,
  { version, enabled = true }: { readonly version: number; readonly enabled?: boolean },
): Promise<void> {
  const days = DAYS_TO_EXPIRY[name];
  const expires = days === undefined ? {} : { expires: Math.floor(Date.now() / 1_000) + days * 86_400 };
  await emulator.setSecret({ vault, name, value: `value ${version}`, enabled, ...expires });
}
