import { objectKey } from "../../domain/object-key.ts";
import { SYNC_REASONS, type SyncReason } from "../../domain/reasons.ts";
import { conditionOf } from "../../domain/sync/class-status.ts";
import { rotatedIn } from "../../domain/sync/rotated-condition.ts";
import type { ClassStatus, SyncCondition } from "../../domain/sync/status-fields.ts";
import type { CheckState, ClassFinding, LeafName } from "../doctor/class/leaves.ts";
import { checkClassRestarts } from "../doctor/class/restarts.ts";
import { judgeStatus, notSyncedFix, secretAbsent, statusFix, statusUnreadable, wasWritten } from "../doctor/class/secrets.ts";
import { reportedWalk } from "../doctor/class/walk.ts";
import type { KnownClass, LiveCopies } from "./known.ts";

/** State of a class, in the words of `doctor` and the worker. */
export interface ClassRow {
  readonly namespace: string;
  readonly name: string;
  /** Empty if the class cannot be read. */
  readonly vault: string;
  readonly state: CheckState;
  /** Reason of the worker's condition, or the name of the leaf at which `doctor` would end. */
  readonly reason: string;
  readonly message: string;
  /** Advice that `doctor` would give; absent if the user has nothing to do. */
  readonly next?: string;
  readonly runbook: string;
  readonly findings: readonly ClassFinding[];
  readonly status: ClassStatus | undefined;
}

const RUNBOOKS = "https://keyvault-injector.dev/docs/runbooks";

export function runbookOf(page: string): string {
  return `${RUNBOOKS}/${page}.md`;
}

/** States in the order of the page: those that need action come first. */
export const STATES: readonly CheckState[] = ["FAIL", "WARN", "SKIP", "OK"];

/** Returns every class with its state, the worst first. */
export function classRows({
  classes,
  classStatuses,
  secrets,
}: Pick<LiveCopies, "classes" | "classStatuses" | "secrets">): readonly ClassRow[] {
  const rows = classes.list().map((spc) => {
    const status = classStatuses.get(spc)?.status;
    const areSeen = secrets.unseen(spc.namespace) === undefined && secrets.trouble() === undefined;
    const absent = areSeen ? absentSecrets(spc, status, secrets) : [];
    return { row: rowOf(spc, status, [...findingsOf(spc, status, classStatuses.unseen(spc.namespace)), ...absent]), key: objectKey(spc) };
  });
  const ranked = rows.map(({ row, key }) => ({ row, key: `${STATES.indexOf(row.state)} ${key}` }));
  return ranked.sort((a, b) => (a.key < b.key ? -1 : 1)).map(({ row }) => row);
}

function rowOf({ namespace, name, reading }: KnownClass, status: ClassStatus | undefined, findings: readonly ClassFinding[]): ClassRow {
  const { state, next } = reportedWalk({ namespace, name, findings });
  const worst = findings.find((finding) => finding.fix === next) ?? findings[0];
  const said = reasonIn(worst, status);
  return {
    namespace,
    name,
    vault: reading.kind === "class" ? reading.read.vault : "",
    state,
    reason: said,
    message: worst?.message ?? "",
    ...(next === undefined ? {} : { next }),
    runbook: runbookOf(runbookPage(worst, said)),
    findings,
    status,
  };
}

function findingsOf(spc: KnownClass, status: ClassStatus | undefined, unseen: string | undefined): readonly ClassFinding[] {
  const text = spc.refused === undefined ? [] : [spc.refused];
  if (status === undefined && unseen !== undefined) return [...text, statusUnreadable(unseen)];
  return [...text, judgeStatus(spc, status), ...remarks(spc, status), ...checkClassRestarts(status)];
}

/** Returns a finding for each Secret that the worker wrote and that no longer exists. The status reports Secrets not written yet. */
function absentSecrets(spc: KnownClass, status: ClassStatus | undefined, secrets: LiveCopies["secrets"]): readonly ClassFinding[] {
  const { namespace, off } = spc;
  if (off !== undefined || status === undefined) return [];
  return status.secrets
    .filter((secret) => wasWritten(secret) && secrets.get({ namespace, name: secret.name }) === undefined)
    .map((secret) => secretAbsent(`Secret ${namespace}/${secret.name}`, secret, notSyncedFix(spc, status, secret)));
}

/** Returns the warnings of a status whose Secrets are up to date. */
function remarks(spc: KnownClass, status: ClassStatus | undefined): readonly ClassFinding[] {
  if (conditionOf(status, "Synced")?.status !== "True") return [];
  return remarkable(status).map(({ reason, message }) => {
    const said = `${reason}: ${message}`;
    return { leaf: "status-failing", step: "status", state: "WARN", message: said, fix: statusFix(spc, said) };
  });
}

function remarkable(status: ClassStatus | undefined): readonly SyncCondition[] {
  return (["Fresh", "Guarded"] as const).flatMap((type) => {
    const condition = conditionOf(status, type);
    return condition?.status === "False" ? [condition] : [];
  });
}

/** Returns the reason of the status condition if the finding comes from the status, and the name of the finding's leaf otherwise. */
function reasonIn(finding: ClassFinding | undefined, status: ClassStatus | undefined): string {
  if (finding === undefined) return "";
  const synced = conditionOf(status, "Synced");
  if (finding.leaf === "status-ok" || finding.leaf === "restarts-ok") return synced?.reason ?? "";
  if (finding.step === "restarts") return rotatedIn(status)?.reason ?? finding.leaf;
  if (finding.leaf !== "status-failing") return finding.leaf;
  return (synced?.status === "True" ? remarkable(status)[0] : synced)?.reason ?? finding.leaf;
}

/** Findings that no worker repairs while none leads. */
const OF_THE_LEADER: ReadonlySet<string> = new Set<LeafName>(["status-absent", "status-outdated", "secret-absent"]);

function runbookPage(finding: ClassFinding | undefined, reason: string): string {
  if (SYNC_REASONS.includes(reason as SyncReason) || reason === "RolloutFailed") return reason; // The cast lets `includes` test any string.
  if (finding !== undefined && OF_THE_LEADER.has(finding.leaf)) return "no-leader";
  if (finding?.leaf === "class-invalid") return "InvalidClass";
  return finding?.leaf === "restarts-held" ? "restarts-held" : "README";
}

export interface ClassFilter {
  readonly namespace: string;
  /** Matches anywhere in the row. */
  readonly text: string;
  readonly state: string;
}

export function filteredRows(rows: readonly ClassRow[], { namespace, text, state }: ClassFilter): readonly ClassRow[] {
  const wanted = text.toLowerCase();
  return rows.filter(
    (row) =>
      (namespace === "" || row.namespace === namespace) &&
      (state === "" || row.state === state) &&
      (wanted === "" || `${row.namespace}/${row.name} ${row.vault} ${row.reason} ${row.message}`.toLowerCase().includes(wanted)),
  );
}

/** Row of the table of vaults. */
export interface VaultRow {
  readonly vault: string;
  readonly classes: number;
  readonly objects: number;
  /** Number of classes whose condition has the reason `Throttled` or `Unreachable`. */
  readonly throttled: number;
  readonly unreachable: number;
}

/** Counts from the statuses of the classes: the worker's budget itself is only in its metrics. */
export function vaultRows(classes: readonly KnownClass[], rows: readonly ClassRow[]): readonly VaultRow[] {
  const reasons = new Map(rows.map((row) => [objectKey(row), conditionReasons(row.status)]));
  const reads = classes.flatMap((spc) => (spc.reading.kind === "class" ? [spc.reading.read] : []));
  return [...Map.groupBy(reads, ({ vault }) => vault)]
    .map(([vault, those]) => {
      const having = (reason: SyncReason): number => those.filter((read) => reasons.get(objectKey(read))?.has(reason) === true).length;
      const objects = new Set(those.flatMap((read) => read.objects.map(({ type, name }) => `${type}/${name.toLowerCase()}`))).size;
      return { vault, classes: those.length, objects, throttled: having("Throttled"), unreachable: having("Unreachable") };
    })
    .sort((a, b) => b.throttled + b.unreachable - (a.throttled + a.unreachable) || b.objects - a.objects || (a.vault < b.vault ? -1 : 1));
}

function conditionReasons(status: ClassStatus | undefined): ReadonlySet<string> {
  return new Set((status?.conditions ?? []).filter(({ status }) => status === "False").map(({ reason }) => reason));
}
