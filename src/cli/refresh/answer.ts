import { assertNever } from "../../domain/assert-never.ts";
import type { ObjectRef, SecretProviderClass } from "../../domain/kubernetes.ts";
import { quoted } from "../../domain/quoted.ts";
import { syncMode } from "../../domain/schedule/class-annotations.ts";
import { shell } from "../../domain/shell-words.ts";
import { conditionOf } from "../../domain/sync/class-status.ts";
import { isOurs } from "../../domain/sync/named-secrets.ts";
import type { ClassStatus } from "../../domain/sync/status-fields.ts";
import { isReportedUnused, UNUSED_MESSAGE } from "../../domain/sync/summarize.ts";
import type { WorkerAnswer } from "../../domain/sync/worker-answer.ts";
import { mirrorsNothing, notHandledBecause, workerSettings } from "../shared/class-context.ts";
import type { SettingsInForce } from "../shared/settings-in-force.ts";
import type { ViewResult } from "../shared/viewer.ts";

/** Whether the worker queries the vault for a class. */
export type Fetching =
  /** The class has another provider, so this project writes nothing on it. */
  | { readonly kind: "ignored"; readonly why: string }
  /** The class has no Secrets, and the worker does not track its versions for a workload that requests restarts. */
  | { readonly kind: "none" }
  | { readonly kind: "off"; readonly why: string }
  | { readonly kind: "fetched"; readonly isWhileUsed: boolean };

export type RefreshAnswer =
  | WorkerAnswer
  | Exclude<Fetching, { readonly kind: "fetched" }>
  /** No pod mounts the class, which the worker syncs only while a pod mounts it. `hasSecrets`: the status still lists Secrets. */
  | { readonly kind: "unused"; readonly hasSecrets: boolean }
  /** The user may not read the status, which contains the worker's answer. */
  | { readonly kind: "unseen"; readonly why: string };

/** Decides by the class, its status, and the worker's settings. If the user may not read the settings, the status shows their effect. */
export function fetchingOf(spc: SecretProviderClass, status: ClassStatus | undefined, reading: ViewResult<SettingsInForce>): Fetching {
  if (!isOurs(spc))
    return { kind: "ignored", why: `its provider is ${quoted(spc.spec?.provider ?? "", 40)}, so keyvault-injector ignores it` };
  if (mirrorsNothing(spc) && status === undefined) return { kind: "none" };
  if (reading.kind !== "seen") return fetchingByStatus(spc, status);
  const settings = workerSettings(reading.value);
  const why = notHandledBecause(settings, spc);
  return why === undefined ? { kind: "fetched", isWhileUsed: syncMode(spc, settings.syncMode) === "while-used" } : { kind: "off", why };
}

function fetchingByStatus(spc: SecretProviderClass, status: ClassStatus | undefined): Fetching {
  const synced = conditionOf(status, "Synced");
  if (synced?.reason === "SwitchedOff") return { kind: "off", why: synced.message };
  return { kind: "fetched", isWhileUsed: syncMode(spc, "always") === "while-used" || isReportedUnused(status) };
}

/** Whether the worker has queried the vault, or has no reason to query it. */
export function isAnswered({ kind }: RefreshAnswer): boolean {
  return !["open", "off", "ignored", "unseen"].includes(kind);
}

/** Whether everything that the worker maintains is as new as its answer. */
export function isFetchedWell(answer: RefreshAnswer): boolean {
  return answer.kind === "none" || answer.kind === "synced" || (answer.kind === "unused" && !answer.hasSecrets);
}

/** Whether waiting cannot improve the answer. */
export function isFinal(answer: RefreshAnswer): boolean {
  return ["off", "ignored", "unused", "unseen"].includes(answer.kind) || (answer.kind === "failed" && !answer.isTriedAgain);
}

/** Returns the fields for `-o json`. */
export function answerReport(answer: RefreshAnswer): object {
  const { kind } = answer;
  if (kind === "off" || kind === "ignored" || kind === "unseen") return { kind, message: answer.why };
  if (kind === "open") return { kind, ...answer.why };
  return kind === "failed" ? { kind, ...answer.why, isTriedAgain: answer.isTriedAgain } : { kind };
}

export interface AnswerPlace {
  /** Namespace and name of the class. */
  readonly ref: Required<ObjectRef>;
  readonly isWaited: boolean;
}

export function answerText(answer: RefreshAnswer, { ref, isWaited }: AnswerPlace): string {
  const explained = shell`keyvault-injector explain spc/${ref.name} -n ${ref.namespace}`;
  switch (answer.kind) {
    case "none":
      return "the class has no Secrets: there is nothing for the worker to fetch";
    case "ignored":
      return `the class was not annotated: ${answer.why}`;
    case "off":
      return `nothing updates its Secrets: ${answer.why}`;
    case "unseen":
      return `the request was sent, but its result cannot be seen: ${answer.why}`;
    case "unused":
      return answer.hasSecrets
        ? "no pod mounts the class, which is synced only while a pod mounts it: until then, its Secrets stay unchanged"
        : UNUSED_MESSAGE;
    case "synced":
      return "the worker has queried the vault, and the Secrets and the status match its response";
    case "failed": {
      const next = answer.isTriedAgain ? "the worker retries" : "retrying does not help until someone fixes it";
      return `the worker has reconciled the class, but it is not up to date: ${reported(answer.why)}; ${next}; see ${explained}`;
    }
    case "open":
      return openText(answer, { isWaited, explained });
    default:
      return assertNever(answer);
  }
}

type Open = Extract<RefreshAnswer, { readonly kind: "open" }>;

function openText(
  { why, isTakenBack }: Open,
  { isWaited, explained }: Pick<AnswerPlace, "isWaited"> & { readonly explained: string },
): string {
  if (!isWaited) return "the request was sent to the worker (--wait waits for the result)";
  if (isTakenBack) {
    return "someone reset the annotation keyvault-injector.dev/refresh, possibly before the worker had reconciled the class; remove the annotation from the manifests of the class, and then run the command again";
  }
  const state = why === undefined ? "" : `; the class's status: ${reported(why)}`;
  return `the worker has not finished the request${state}; see ${explained}`;
}

function reported({ reason, message }: { readonly reason: string; readonly message: string }): string {
  return `${reason}: ${message}`;
}
