import { MANAGED_LABEL, SECRET_ANNOTATIONS } from "../../src/domain/annotations.ts";
import type { Secret } from "../../src/domain/kubernetes.ts";
import type { ControlPlane } from "../support/cluster/control-plane.ts";
import { eventually } from "../support/time/eventually.ts";
import { listAll, statusOf } from "../support/worker/sync-world.ts";
import type { Cell, Mark } from "./cell.ts";

/** Problems of a cell's Secrets compared with the vault's state at the mark, one sentence for each. */
export async function behind(plane: ControlPlane, cell: Cell, mark: Mark): Promise<readonly string[]> {
  const secrets = await listAll<Secret>(plane, `/api/v1/namespaces/${cell.namespace}/secrets`);
  const byName = new Map(secrets.map((secret) => [secret.metadata.name, secret]));
  return cell.names.flatMap((name) => {
    const why = problemOf(cell, byName.get(name), { name, least: mark.get(name) ?? 0 });
    return why === undefined ? [] : [`${cell.namespace}/${name} ${why}`];
  });
}

function problemOf(cell: Cell, secret: Secret | undefined, { name, least }: { readonly name: string; readonly least: number }) {
  if (secret === undefined) return "is absent";
  if (secret.metadata.labels?.[MANAGED_LABEL] !== "true") return "is not ours";
  const objects = secret.metadata.annotations?.[SECRET_ANNOTATIONS.objects] ?? "";
  const index = cell.indexOf(name, objects.slice(`secret/${name}@`.length));
  if (index < least) return `has version ${index} of its object, and the vault had ${least}`;
  const value = Buffer.from(secret.data?.["value"] ?? "", "base64").toString();
  return value === cell.valueAt(name, index) ? undefined : `does not hold the value of version ${index}`;
}

/** The worker's status of the cell's first class, for the report of a loss. */
async function saidOf(plane: ControlPlane, cell: Cell): Promise<string> {
  const status = await statusOf(plane, cell.namespace, "class-0").catch(() => undefined);
  const synced = status?.conditions.find(({ type }) => type === "Synced");
  return `class-0 of ${cell.namespace}: ${synced === undefined ? "no status" : `${synced.reason}, ${synced.message}`}`;
}

export interface Recovery {
  /** Seconds until no Secret was behind. Undefined if that took longer than the bound. */
  readonly seconds: number | undefined;
  readonly lost: readonly string[];
}

export interface Bounded {
  readonly mark: Mark;
  /** Seconds. */
  readonly bound: number;
}

/** Waits until the cell has the vault's state at the mark, at most for the bound (seconds). */
export async function recovery(plane: ControlPlane, cell: Cell, { mark, bound }: Bounded): Promise<Recovery> {
  const started = performance.now();
  let lost: readonly string[] = [];
  const attempt = async (): Promise<boolean> => {
    lost = await behind(plane, cell, mark);
    return lost.length === 0;
  };
  const isDone = await eventually(attempt, { within: bound * 1_000, every: 250 }).catch(() => false);
  if (isDone) return { seconds: (performance.now() - started) / 1_000, lost };
  return { seconds: undefined, lost: [await saidOf(plane, cell), ...lost] };
}
