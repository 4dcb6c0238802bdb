import { parseDuration } from "../../domain/duration.ts";
import type { ObjectRef } from "../../domain/kubernetes.ts";
import { shell } from "../../domain/shell-words.ts";
import { nearestSpelling } from "../../domain/spelling.ts";
import { expiryCalendar, parseDays } from "../../domain/where/calendar.ts";
import {
  isObjectName,
  type ObjectReference,
  parseReference,
  referenceKey,
  spokenReference,
  type WantedObject,
} from "../../domain/where/object-reference.ts";
import { objectUsages } from "../../domain/where/object-usage.ts";
import { isVault, type NamedSecret, nearestVault, vaultName } from "../../domain/where/read-class.ts";
import type { ObjectUsage } from "../../domain/where/usage.ts";
import { assertNamespace, installIn, someNames } from "../shared/absence.ts";
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
import { namespaceWithin, valueOf } from "../shared/options.ts";
import { workerSettingsInForce } from "../shared/settings-in-force.ts";
import { shown } from "../shared/terminal.ts";
import { createViewer } from "../shared/viewer.ts";
import { type Gathered, type GatherRequest, gather } from "./gather.ts";
import { expiriesReport, usagesReport } from "./report.ts";
import { calendarText, usagesText } from "./text.ts";

const FORMATS = ["text", "wide", "json"] as const;

export const where: Command = {
  name: "where",
  summary: "List the uses and versions of a vault object, or the expiry dates of all objects.",
  usage: "[secret/NAME | key/NAME | certificate/NAME | KIND NAME | NAME | IDENTIFIER]",
  details: [
    "Lists the classes that list the object, the Secrets and keys that contain it, and the containers that have it in files or environment",
    "variables. For each, the output shows the version, since when, and whether it is the newest known version. The command does not query",
    "a vault, so the newest known version is the newest one that the worker or a pod has fetched. wide also shows how each version is known.",
    "To specify an object together with its vault, use the identifier from the Azure portal, https://VAULT/secrets/NAME. A version in the",
    "identifier is ignored. You can omit the type of an object if only one object has its name.",
    "Without an object, the command lists the objects that expire, by date, and their users.",
    "It covers the objects that you can list, and reads only the metadata of Secrets.",
    "",
    "json prints one report.",
    "Exit code: 0; 1 if a Secret or container has an older version or, without an object, if an object has expired or will expire within",
    "--expiring; 2 if no class lists the object or has the vault, if you cannot list any classes, or if there is no cluster.",
  ],
  examples: [
    { result: "List the uses of a secret, and their versions", typed: "keyvault-injector where secret/db-password --vault shop" },
    { result: "List the objects that expire within 30 days, and their uses", typed: "keyvault-injector where --expiring 30d" },
  ],
  optionHelp: { namespace: "Only classes and pods in this namespace. Default: all namespaces that you can list." },
  options: ["vault", "expiring", "namespace", "all-namespaces", "install-namespace", "output", "context", "kubeconfig"],
  formats: FORMATS,
  hasJsonReport: true,
  arguments: 2,
  run: runWhere,
};

async function runWhere(input: CommandInput, context: CommandContext): Promise<CommandResult> {
  const asked = askedIn(input);
  const vault = asked?.vault ?? valueOf(input.options, "vault");
  const withinMs = expiringIn(input, asked);
  return withCluster(input, context, async (cluster) => {
    const isOfVault = (address: string): boolean => vault === undefined || isVault(address, vault);
    const isWanted = (address: string, object: ObjectReference): boolean => isOfVault(address) && isAsked(asked, object);
    const within = namespaceWithin(input.options, cluster.namespace);
    const vaults = new Set<string>();
    const named: ObjectReference[] = [];
    const made: NamedSecret[] = [];
    const classes: ObjectRef[] = [];
    // Collects every object of the vault, because the user may mean one with another name.
    const gathered = await gatherFor(input, cluster, context, ({ vault: address, objects, secrets, namespace, name }) => {
      vaults.add(address);
      classes.push({ namespace, name });
      if (isOfVault(address)) named.push(...objects);
      if (isOfVault(address)) made.push(...secrets);
      return objects.some((object) => isWanted(address, object));
    });
    const { refusal } = gathered;
    if (refusal !== undefined) throw new CommandFailure(`${refusal}; name another namespace with -n, or ask for permission`);
    const usages = objectUsages(gathered.snapshot, isWanted);
    const unknown = vault === undefined || [...vaults].some(isOfVault) ? undefined : { vault, meant: meantVault(vault, [...vaults]) };
    const places = { within, unknown };
    if (asked !== undefined)
      return usageResult({ asked: { ...asked, vault }, usages, named, made, classes, gathered, places }, input, context);
    if (unknown !== undefined) throw new CommandFailure(`${noClass(gathered, within)} uses the vault ${unknown.vault}${unknown.meant}`);
    const expiries = expiryCalendar(usages, gathered.snapshot.now, withinMs);
    const undated = usages.filter(({ expires, secrets }) => expires === undefined && secrets.length === 0).length;
    const format = formatOf(input.options, FORMATS);
    const output =
      format === "json"
        ? reportText("expiries", context.shipped, expiriesReport(expiries, undated, gathered))
        : shown(calendarText(expiries, { isWide: format === "wide", now: gathered.snapshot.now, undated, withinMs }), context.terminal);
    const isWrong = expiries.some(({ state }) => state === "expired" || withinMs !== undefined);
    return { ...answered(output, isWrong), notes: notesOf(gathered) };
  });
}

/** An object as the user typed it. `type`: undefined if the user typed only the name. */
interface Asked extends Omit<WantedObject, "type"> {
  readonly type: WantedObject["type"] | undefined;
}

function isAsked(asked: Asked | undefined, { type, name }: ObjectReference): boolean {
  if (asked === undefined) return true;
  return (asked.type === undefined || asked.type === type) && name.toLowerCase() === asked.name.toLowerCase();
}

/** Parses `secret/db-pass`, `secret db-pass`, or `db-pass`; undefined without arguments. Rejects other words before a cluster is opened. */
function askedIn({ arguments: [first, second], options }: CommandInput): Asked | undefined {
  if (first === undefined) return undefined;
  if (second === undefined && isObjectName(first)) return { type: undefined, name: first, vault: undefined };
  if (second !== undefined && [first, second].some((word) => word.includes("/")))
    throw new CommandFailure(`where takes one object; remove ${first} or ${second}`);
  const parsed = parseReference(second === undefined ? first : `${first}/${second}`);
  if (!parsed.ok) throw new CommandFailure(parsed.error);
  const { vault } = parsed.value;
  const asked = valueOf(options, "vault");
  if (vault !== undefined && asked !== undefined && !isVault(vault, asked))
    throw new CommandFailure(`--vault: the identifier already names ${vault}; remove --vault`);
  return parsed.value;
}

/** Returns the value of `--expiring` in milliseconds. */
function expiringIn({ options }: CommandInput, asked: Asked | undefined): number | undefined {
  const text = valueOf(options, "expiring");
  if (text === undefined) return undefined;
  if (asked !== undefined)
    throw new CommandFailure(`--expiring is only for the list of expiry dates; remove ${spokenName(asked)} or --expiring`);
  const days = parseDays(text);
  const duration = parseDuration(text);
  if (days !== undefined) return days;
  if (duration.ok) return duration.value;
  throw new CommandFailure(`--expiring: ${JSON.stringify(text)} is not a time; write days (30d), hours (36h) or minutes (90m)`);
}

async function gatherFor(
  { options }: CommandInput,
  cluster: Cluster,
  context: CommandContext,
  isWanted: GatherRequest["isWanted"],
): Promise<Gathered> {
  const viewer = createViewer(cluster, context.signal);
  const within = namespaceWithin(options, cluster.namespace);
  await assertNamespace(viewer, within);
  const settings = await workerSettingsInForce(viewer, await installIn(viewer, options));
  return gather(cluster, context, { within, cloudName: settings["cloud-name"] ?? "", isWanted });
}

interface UsageAnswer {
  /** `vault`: only objects of this vault count. */
  readonly asked: Asked;
  readonly usages: readonly ObjectUsage[];
  /** All objects that classes of the vault name. */
  readonly named: readonly ObjectReference[];
  /** Secrets that these classes create. */
  readonly made: readonly NamedSecret[];
  /** All classes that the user can list. */
  readonly classes: readonly ObjectRef[];
  readonly gathered: Gathered;
  readonly places: {
    /** Namespace that the user names. */
    readonly within: string | undefined;
    /** Vault that the user names and no class has, and the end of a sentence about it. */
    readonly unknown: { readonly vault: string; readonly meant: string } | undefined;
  };
}

function usageResult(answer: UsageAnswer, input: CommandInput, context: CommandContext): CommandResult {
  const { asked, usages, named, gathered } = answer;
  if (usages.length === 0) throw new CommandFailure(absenceText(answer));
  const [wanted, ...others] = [...new Map(usages.map((usage) => [referenceKey(usage), usage])).values()];
  if (wanted === undefined || others.length > 0) throw new CommandFailure(severalText(asked, [...usages]));
  const format = formatOf(input.options, FORMATS);
  const output =
    format === "json"
      ? reportText(
          "where",
          context.shipped,
          usagesReport(asked.type === undefined ? wanted : { ...asked, type: asked.type }, usages, gathered),
        )
      : shown(usagesText(usages, { isWide: format === "wide" }), context.terminal);
  const isOld = usages.some(({ secrets, containers }) => [...secrets, ...containers].some(({ state }) => state === "old"));
  return { code: isOld ? EXIT.found : EXIT.fine, output, notes: [...notesOf(gathered), ...siblingNotes(wanted, named)] };
}

function severalText({ name }: Asked, usages: readonly ObjectReference[]): string {
  const each = [...new Set(usages.map(spokenReference))].sort();
  return `${JSON.stringify(name)} is the name of ${each.join(" and ")}; write one of them`;
}

function spokenName({ type, name }: Asked): string {
  return type === undefined ? name : spokenReference({ type, name });
}

function meantVault(vault: string, vaults: readonly string[]): string {
  const near = nearestVault(vault, vaults);
  if (near !== undefined) return `; did you mean vault ${near}?`;
  return vaults.length === 0 ? "" : `; the classes use ${someNames([...new Set(vaults.map(vaultName))])}`;
}

function noClass({ unseen }: Gathered, within: string | undefined): string {
  return `no class${unseen.length === 0 ? "" : " that you can see"}${within === undefined ? "" : ` in namespace ${within}`}`;
}

function absenceText({ asked, named, made, classes, gathered, places: { within, unknown } }: UsageAnswer): string {
  const [first, ...others] = sourcesOf(asked, made);
  if (first !== undefined)
    return `${asked.name} is a Kubernetes Secret, created from ${[first, ...others].join(" and ")}: ${shell`run keyvault-injector where ${first}`}`;
  const namesake = asked.type === undefined ? classes.find(({ name }) => name === asked.name) : undefined;
  if (namesake !== undefined)
    return shell`${namesake.name} is a class, not a vault object: run keyvault-injector explain spc/${namesake.name} -n ${namesake.namespace ?? ""}`;
  const near = nearestObject(asked, named);
  const meant = near === undefined ? (unknown?.meant ?? listedText(named)) : `; did you mean ${near}?`;
  return `${noClass(gathered, within)} lists the object ${spokenName(asked)}${asked.vault === undefined ? "" : ` of vault ${asked.vault}`}${meant}`;
}

function listedText(named: readonly ObjectReference[]): string {
  return named.length === 0 ? "" : `; the classes list ${someNames([...new Set(named.map(spokenReference))])}`;
}

/** Returns the objects from which the worker creates the Kubernetes Secret with that name. */
function sourcesOf({ type, name }: Asked, made: readonly NamedSecret[]): readonly string[] {
  if (type !== undefined && type !== "secret") return [];
  const keys = made.filter((secret) => secret.name === name).flatMap((secret) => secret.keys);
  return [...new Set(keys.map(({ object }) => spokenReference(object)))];
}

/** Prefers an object with the same name and another type to one with a similar name. */
function nearestObject(asked: Asked, named: readonly ObjectReference[]): string | undefined {
  const namesake = named.find(({ name }) => name.toLowerCase() === asked.name.toLowerCase());
  if (namesake !== undefined) return spokenReference(namesake);
  if (asked.type !== undefined) return nearestSpelling(spokenName(asked), [...new Set(named.map(spokenReference))]);
  const near = nearestSpelling(asked.name, [...new Set(named.map(({ name }) => name))]);
  const meant = named.find(({ name }) => name === near);
  return meant && spokenReference(meant);
}

/** Returns a note on other objects with the same name: a certificate has a secret and a key of its name, which rotate with it. */
function siblingNotes(wanted: ObjectReference, named: readonly ObjectReference[]): readonly string[] {
  const isNamed = (type: ObjectReference["type"]): boolean =>
    type !== wanted.type && named.some((object) => object.type === type && object.name.toLowerCase() === wanted.name.toLowerCase());
  const siblings = (["cert", "secret", "key"] as const).filter(isNamed).map((type) => spokenReference({ type, name: wanted.name }));
  if (siblings.length === 0) return [];
  return [
    `note: classes also name ${siblings.join(" and ")}; if it belongs to a certificate, it rotates with the certificate: ${shell`keyvault-injector where ${siblings[0] ?? ""}`}`,
  ];
}

/** Maximum number of notes; the others are counted. A user who lacks a permission in one place often lacks it in hundreds. */
const MOST_NOTES = 10;

function notesOf({ unseen, unreadable }: Gathered): readonly string[] {
  const notes = [
    ...unseen.map((what) => `note: ${what}`),
    ...unreadable.map(
      ({ namespace, name, why }) =>
        `note: class ${namespace}/${name} cannot be read (${why}): ${shell`keyvault-injector explain spc/${name} -n ${namespace}`}`,
    ),
  ];
  const left = notes.length - MOST_NOTES;
  return left > 1 ? [...notes.slice(0, MOST_NOTES), `note: and ${left} more; -o json has all`] : notes;
}
