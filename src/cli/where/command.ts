import { parseDuration } from "../../domain/duration.ts";
import { nearestSpelling } from "../../domain/spelling.ts";
import { expiryCalendar, parseDays } from "../../domain/where/calendar.ts";
import {
  type ObjectReference,
  parseReference,
  referenceKey,
  spokenReference,
  type WantedObject,
} from "../../domain/where/object-reference.ts";
import { objectUsages } from "../../domain/where/object-usage.ts";
import { isVault } from "../../domain/where/read-class.ts";
import type { ObjectUsage } from "../../domain/where/usage.ts";
import { assertNamespace } from "../shared/absence.ts";
import {
  answered,
  type Cluster,
  type Command,
  type CommandContext,
  CommandFailure,
  type CommandInput,
  type CommandResult,
  EXIT,
  formatOf,
  reportText,
  withCluster,
} from "../shared/command.ts";
import { valueOf } from "../shared/options.ts";
import { installNamespace } from "../shared/resources.ts";
import { workerSettingsInForce } from "../shared/settings-in-force.ts";
import { shown } from "../shared/terminal.ts";
import { createViewer } from "../shared/viewer.ts";
import { type Gathered, gather } from "./gather.ts";
import { expiriesReport, usagesReport } from "./report.ts";
import { calendarText, usagesText } from "./text.ts";

const FORMATS = ["text", "wide", "json"] as const;

export const where: Command = {
  name: "where",
  summary: "List the users of a vault's object with their versions; without an object, expiry dates.",
  usage: "[secret/NAME | key/NAME | certificate/NAME | KIND NAME | IDENTIFIER]",
  details: [
    "Lists the classes that name the object, the Secrets and keys made from it, and the containers that have it in files or in their",
    "environment, each with its version, since when, and whether it is the newest known one. No vault is asked: the newest version is",
    "the last one that the worker or a pod fetched. wide adds the evidence for each version.",
    "An identifier, https://VAULT/secrets/NAME as the Azure portal shows it, names the object and its vault; a version in it is ignored.",
    "Without an object, it lists those that expire, by date, with their users.",
    "It covers what you may list. Of Secrets it reads only the metadata.",
    "",
    "json is one report.",
    "Exit code: 0; 1 if anyone has an older version (without an object: if one has expired, or will within --expiring); 2 if no class",
    "names the object, or without a cluster.",
  ],
  optionHelp: { namespace: "Classes and pods of this namespace alone; of all that you may list where not given." },
  options: ["vault", "expiring", "namespace", "all-namespaces", "install-namespace", "output", "context", "kubeconfig"],
  formats: FORMATS,
  hasJsonReport: true,
  arguments: 2,
  run: runWhere,
};

async function runWhere(input: CommandInput, context: CommandContext): Promise<CommandResult> {
  const wanted = wantedIn(input);
  const vault = wanted?.vault ?? valueOf(input.options, "vault");
  const withinMs = expiringIn(input, wanted);
  return withCluster(input, context, async (cluster) => {
    const isOfVault = (address: string): boolean => vault === undefined || isVault(address, vault);
    const key = wanted && referenceKey(wanted);
    const isWanted = (address: string, object: ObjectReference): boolean =>
      isOfVault(address) && (key === undefined || referenceKey(object) === key);
    const named: ObjectReference[] = [];
    const gathered = await gatherFor(input, cluster, context, (address, object) => {
      if (isOfVault(address)) named.push(object);
      return isWanted(address, object);
    });
    const usages = objectUsages(gathered.snapshot, isWanted);
    if (wanted !== undefined) return usageResult({ wanted: { ...wanted, vault }, usages, named, gathered }, input, context);
    const expiries = expiryCalendar(usages, gathered.snapshot.now, withinMs);
    const undated = usages.filter(({ expires, secrets }) => expires === undefined && secrets.length === 0).length;
    const format = formatOf(input.options, FORMATS);
    const output =
      format === "json"
        ? reportText("expiries", context.shipped, expiriesReport(expiries, undated, gathered))
        : shown(calendarText(expiries, { isWide: format === "wide", now: gathered.snapshot.now, undated, withinMs }), context.terminal);
    const isWrong = expiries.some(({ state }) => state === "expired" || withinMs !== undefined);
    return { ...answered(output, isWrong), notes: notesOf(gathered, context) };
  });
}

/** `secret/db-pass`, or `secret db-pass`; undefined where none is named. What is no object is refused before a cluster is asked. */
function wantedIn({ arguments: [first, second], options }: CommandInput): WantedObject | undefined {
  if (first === undefined) return undefined;
  if (second !== undefined && [first, second].some((word) => word.includes("/")))
    throw new CommandFailure(`where takes one object; leave ${first} or ${second} out`);
  const parsed = parseReference(second === undefined ? first : `${first}/${second}`);
  if (!parsed.ok) throw new CommandFailure(parsed.error);
  const { vault } = parsed.value;
  const asked = valueOf(options, "vault");
  if (vault !== undefined && asked !== undefined && !isVault(vault, asked))
    throw new CommandFailure(`--vault: the object is one of ${vault}; leave --vault out`);
  return parsed.value;
}

/** Milliseconds. */
function expiringIn({ options }: CommandInput, wanted: ObjectReference | undefined): number | undefined {
  const text = valueOf(options, "expiring");
  if (text === undefined) return undefined;
  if (wanted !== undefined)
    throw new CommandFailure(`--expiring: it is for the calendar; leave ${spokenReference(wanted)} or --expiring out`);
  const days = parseDays(text);
  const duration = parseDuration(text);
  if (days !== undefined) return days;
  if (duration.ok) return duration.value;
  throw new CommandFailure(`--expiring: ${JSON.stringify(text)} is no time; write days (30d), hours (36h) or minutes (90m)`);
}

async function gatherFor(
  { options }: CommandInput,
  cluster: Cluster,
  context: CommandContext,
  isWanted: (vault: string, object: ObjectReference) => boolean,
): Promise<Gathered> {
  const viewer = createViewer(cluster, context.signal);
  const within = valueOf(options, "namespace");
  await assertNamespace(viewer, within);
  const settings = await workerSettingsInForce(viewer, installNamespace(options));
  return gather(cluster, context, {
    within,
    cloudName: settings["cloud-name"] ?? "",
    // Every object is looked at: what is named elsewhere may have been meant.
    isWanted: ({ vault, objects }) => objects.filter((object) => isWanted(vault, object)).length > 0,
  });
}

interface UsageAnswer {
  /** `vault`: the one whose objects alone are meant. */
  readonly wanted: WantedObject;
  readonly usages: readonly ObjectUsage[];
  /** All that classes of the vault name. */
  readonly named: readonly ObjectReference[];
  readonly gathered: Gathered;
}

function usageResult({ wanted, usages, named, gathered }: UsageAnswer, input: CommandInput, context: CommandContext): CommandResult {
  if (usages.length === 0) throw new CommandFailure(absenceText(wanted, named, gathered));
  const format = formatOf(input.options, FORMATS);
  const output =
    format === "json"
      ? reportText("where", context.shipped, usagesReport(wanted, usages, gathered))
      : shown(usagesText(usages, { isWide: format === "wide" }), context.terminal);
  const isOld = usages.some(({ secrets, containers }) => [...secrets, ...containers].some(({ state }) => state === "old"));
  return { code: isOld ? EXIT.found : EXIT.fine, output, notes: [...notesOf(gathered, context), ...siblingNotes(wanted, named, context)] };
}

function absenceText(wanted: WantedObject, named: readonly ObjectReference[], { unseen }: Gathered): string {
  const near = nearestObject(wanted, named);
  const meant = near === undefined ? "" : `; did you mean ${near}?`;
  const partly = unseen.length === 0 ? "no class" : "no class that you may see";
  return `${partly} names ${spokenReference(wanted)}${wanted.vault === undefined ? "" : ` of vault ${wanted.vault}`}${meant}`;
}

/** One of that name, and of another type, before one that is spelt alike. */
function nearestObject(wanted: ObjectReference, named: readonly ObjectReference[]): string | undefined {
  const namesake = named.find(({ name }) => name.toLowerCase() === wanted.name.toLowerCase());
  if (namesake !== undefined) return spokenReference(namesake);
  return nearestSpelling(spokenReference(wanted), [...new Set(named.map(spokenReference))]);
}

/** A certificate has a secret and a key of its name, which rotate with it. */
function siblingNotes(
  wanted: ObjectReference,
  named: readonly ObjectReference[],
  { shipped: { program } }: CommandContext,
): readonly string[] {
  const isNamed = (type: ObjectReference["type"]): boolean =>
    type !== wanted.type && named.some((object) => object.type === type && object.name.toLowerCase() === wanted.name.toLowerCase());
  const siblings = (["cert", "secret", "key"] as const).filter(isNamed).map((type) => spokenReference({ type, name: wanted.name }));
  if (siblings.length === 0) return [];
  return [
    `note: classes name ${siblings.join(" and ")} as well; where it belongs to a certificate it rotates with it: ${program} where ${siblings[0] ?? ""}`,
  ];
}

/** More of them are counted: who lacks a right in one place often lacks it in hundreds. */
const MOST_NOTES = 10;

function notesOf({ unseen, unreadable }: Gathered, { shipped: { program } }: CommandContext): readonly string[] {
  const notes = [
    ...unseen.map((what) => `note: ${what}`),
    ...unreadable.map(
      ({ namespace, name, why }) =>
        `note: class ${namespace}/${name} cannot be read (${why}): ${program} explain spc/${name} -n ${namespace}`,
    ),
  ];
  const left = notes.length - MOST_NOTES;
  return left > 1 ? [...notes.slice(0, MOST_NOTES), `note: and ${left} more; -o json has all`] : notes;
}
