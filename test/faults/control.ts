import { SECRET_ANNOTATIONS } from "../../src/domain/annotations.ts";
import { FIELD_MANAGER } from "../../src/sync/field-manager.ts";
import type { AuditEntry } from "../support/cluster/audit.ts";
import { eventually } from "../support/time/eventually.ts";
import { mergePatch, secretPath, send } from "../support/worker/sync-world.ts";
import { startRotation } from "./cell.ts";
import type { Lane } from "./fault.ts";
import { recovery } from "./judge.ts";
import { doubleWrites } from "./revisions.ts";
import { writesAfterTakeover } from "./trails.ts";
import { INTERVAL_MS, SYNC_ARGS } from "./world.ts";

const DELETED = 25;

/**
 * Checks the checks: plants the problem that each of them must find. Throws if a check does not find it. With `--sync-secret=false` the
 * worker repairs nothing, so that deleted Secrets stay missing and changes of the vault do not arrive.
 */
export async function runControl(lane: Lane): Promise<string> {
  const { world, rest } = lane;
  await world.replicas.stop();
  await world.replicas.start(2, [...SYNC_ARGS, "--sync-secret=false"]);
  const before = rest.rotations;
  const rotation = startRotation(rest, 100);
  for (const name of rest.names.slice(0, DELETED)) await send(world.plane, { method: "DELETE", path: secretPath(rest.namespace, name) });
  await eventually(() => rest.rotations >= before + DELETED + DELETED, { what: "changes of the vault without a repair" });
  await rotation.stop();
  const { lost } = await recovery(world.plane, rest, { mark: rest.mark(), bound: (2 * INTERVAL_MS) / 1_000 });
  const absent = lost.filter((problem) => problem.endsWith("is absent")).length;
  const stale = lost.filter((problem) => problem.includes("has version")).length;
  if (absent < DELETED || stale === 0) {
    throw new Error(`control: with repair switched off ${absent} of ${DELETED} deleted Secrets were seen as lost, and ${stale} changes`);
  }
  const doubles = await plantDoubleWrites(lane);
  assertTakeoverSeen();
  return `control: with --sync-secret=false ${absent} deleted Secrets and ${stale} changes of the vault lost; ${doubles} double writes planted and seen`;
}

/** Writes with the worker's field manager: an older version over a newer one, and one version twice. */
async function plantDoubleWrites({ world, rest }: Lane): Promise<number> {
  const name = rest.names.at(-1) ?? "";
  const seen = doubleWrites(world.revisions, rest).length;
  const version = world.revisions.of(rest.namespace, name)[0]?.version ?? "";
  const where = `${secretPath(rest.namespace, name)}?fieldManager=${FIELD_MANAGER}`;
  const older = { metadata: { annotations: { [SECRET_ANNOTATIONS.objects]: `secret/${name}@${version}` } } };
  await mergePatch(world.plane, where, older);
  // Changes none of the fields that the worker writes.
  await mergePatch(world.plane, where, { metadata: { finalizers: ["example.com/planted"] } });
  await mergePatch(world.plane, where, { metadata: { finalizers: null } });
  await eventually(() => doubleWrites(world.revisions, rest).length >= seen + 2, { what: "the planted double writes" });
  return 2;
}

function assertTakeoverSeen(): void {
  const entry = { user: "", userAgent: "", verb: "patch", namespace: "", name: "", code: 200, isNamespaceTerminating: false, uri: "" };
  const at = (second: number, resource: string, credential: string): AuditEntry => ({
    ...entry,
    resource,
    credential,
    time: `2026-01-01T00:00:0${second}Z`,
  });
  const lease = "coordination.k8s.io/leases";
  const entries = [at(1, lease, "old"), at(2, "secrets", "old"), at(3, lease, "new"), at(4, "secrets", "new"), at(5, "secrets", "old")];
  if (writesAfterTakeover(entries).length !== 1) throw new Error("control: a write after a takeover was not seen");
}
