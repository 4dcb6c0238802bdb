/** The verdict of `--wait`: whether everything is up to date, and otherwise what is missing and why the command does not wait longer. */
import { assertNever } from "../../domain/assert-never.ts";
import { formatDuration } from "../../domain/duration.ts";
import type { DriverPace } from "../../domain/refresh/driver-pace.ts";
import type { ContainerUsage, SecretUsage, VersionState } from "../../domain/where/usage.ts";
import { counted } from "../../domain/words.ts";
import { isFinal, type RefreshAnswer } from "./answer.ts";
import type { RefreshProgress } from "./progress.ts";

export function verdictText(progress: RefreshProgress, pace: DriverPace): string {
  const lacks = lacksOf(progress);
  if (!progress.isUpToDate) return `${endText(progress, pace)}: ${lacks.join("; ") || lackUnseen(progress)}`;
  if (lacks.length === 0) return "everything is up to date";
  return `no Secret and no mounted file has an older version, but ${lacks.join("; ")}`;
}

function endText({ answer, timedOutMs }: RefreshProgress, pace: DriverPace): string {
  if (timedOutMs !== undefined) return `timed out after ${formatDuration(timedOutMs)}`;
  if (isFinal(answer)) return "stopped early, because waiting does not help";
  return pace.kind === "never"
    ? "stopped early, because mounted files are not updated while a pod runs"
    : "stopped early, because it is not known when mounted files are updated";
}

/** Explains why an answer without a visible lack does not count. */
function lackUnseen({ answer }: RefreshProgress): string {
  return answer.kind === "none" ? "some pods may not have an update of the mounted files yet" : "the last check failed";
}

function lacksOf({ answer, usages }: RefreshProgress): readonly string[] {
  const lack = answerLack(answer);
  const secrets = usages.flatMap((usage) => usage.secrets);
  const containers = usages.flatMap((usage) => usage.containers);
  return [
    ...(lack === undefined ? [] : [lack]),
    ...versionLacks("Secret", secrets.map(secretVersion)),
    ...versionLacks("pod", containers.map(podVersion)),
  ];
}

function answerLack(answer: RefreshAnswer): string | undefined {
  switch (answer.kind) {
    case "open":
      return answer.isTakenBack ? "someone reset the annotation keyvault-injector.dev/refresh" : "the worker has not finished the request";
    case "failed":
      return `the class is not up to date (${answer.why.reason})`;
    case "off":
      return "nothing updates the class's Secrets";
    case "ignored":
      return "keyvault-injector ignores the class";
    case "unused":
      return answer.hasSecrets ? "no pod mounts the class, so its Secrets stay unchanged" : undefined;
    case "unseen":
      return "the worker's result cannot be seen";
    case "none":
    case "synced":
      return undefined;
    default:
      return assertNever(answer);
  }
}

interface NamedVersion {
  /** Namespace and name of the Secret or the pod. */
  readonly name: string;
  readonly state: VersionState;
  readonly why: string | undefined;
}

function secretVersion({ namespace, name, state, why }: SecretUsage): NamedVersion {
  return { name: `${namespace}/${name}`, state, why };
}

function podVersion({ namespace, pod, state, why }: ContainerUsage): NamedVersion {
  return { name: `${namespace}/${pod}`, state, why };
}

function versionLacks(what: string, versions: readonly NamedVersion[]): readonly string[] {
  const named = (state: VersionState): ReadonlyMap<string, string | undefined> =>
    new Map(versions.filter((each) => each.state === state).map(({ name, why }) => [name, why]));
  const [old, unknown] = [named("old"), named("unknown")];
  const reasoned = [...unknown].map(([name, why]) => (why === undefined ? name : `${name}: ${why}`));
  return [...lackText(what, "an older version", [...old.keys()], ", "), ...lackText(what, "no known version", reasoned, "; ")];
}

/** Maximum number of names in the verdict; the report above it has all of them. */
const MOST_NAMES = 3;

function lackText(what: string, lack: string, names: readonly string[], separator: string): readonly string[] {
  if (names.length === 0) return [];
  const more = names.length - MOST_NAMES;
  const each = [...names.slice(0, MOST_NAMES), ...(more > 0 ? [`and ${more} more`] : [])];
  return [`${counted(names.length, what)} ${names.length === 1 ? "has" : "have"} ${lack} (${each.join(separator)})`];
}
