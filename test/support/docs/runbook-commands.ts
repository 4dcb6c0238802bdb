import { COMMANDS } from "../../../src/cli/program.ts";
import { parseArguments } from "../../../src/cli/shared/options.ts";
import { at, listAt, type Manifest, readManifests } from "../cluster/shipped-manifests.ts";
import { fencedBlocks } from "./markdown.ts";

/** A command line of a page, split into words like in a shell. */
export interface RunbookCommand {
  readonly program: string;
  readonly words: readonly string[];
  readonly line: string;
}

/** Commands of a page, each part of a pipe separately. Includes indented blocks in lists. */
export function commandsOf(markdown: string): readonly RunbookCommand[] {
  const lines = fencedBlocks(markdown.replaceAll(/^ +/gm, "")).flatMap(({ language, text }) => (language === "sh" ? text.split("\n") : []));
  return lines.filter((line) => line !== "").flatMap((line) => partsOf(line));
}

function partsOf(line: string): readonly RunbookCommand[] {
  const words = line.match(/(?:[^\s"'|]|"[^"]*"|'[^']*')+|\|/g) ?? [];
  const parts: string[][] = [[]];
  for (const word of words) {
    if (word === "|") parts.push([]);
    else parts.at(-1)?.push(word.replaceAll(/["']/g, ""));
  }
  return parts.map(([program = "", ...rest]) => ({ program, words: rest, line }));
}

const BUILT_IN = {
  pods: "pods",
  namespace: "namespaces",
  events: "events",
  lease: "leases",
  secret: "secrets",
  serviceaccount: "serviceaccounts",
  deployment: "deployments",
  endpointslices: "endpointslices",
  crd: "customresourcedefinitions",
  clusterrolebindings: "clusterrolebindings",
  validatingadmissionpolicies: "validatingadmissionpolicies",
  validatingadmissionpolicybindings: "validatingadmissionpolicybindings",
  mutatingwebhookconfiguration: "mutatingwebhookconfigurations",
} as const;

/** Flags whose value is the next word. */
const VALUED = new Set(["-n", "-o", "-l", "-k", "-f", "--field-selector", "--tail"]);

/** Positional words in order, without options. */
export function positionals(words: readonly string[]): readonly string[] {
  return words.filter((word, index) => !word.startsWith("-") && !VALUED.has(words[index - 1] ?? ""));
}

export function optionOf(words: readonly string[], name: string): string | undefined {
  const at_ = words.indexOf(name);
  return at_ < 0 ? words.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1) : words[at_ + 1];
}

export interface Known {
  /** Text of all installed objects. */
  readonly installed: string;
  readonly crds: readonly Manifest[];
}

export function known(version: string): Known {
  const files = ["crds", "keyvault-injector"].map((name) => readManifests(`releases/${version}/${name}.yaml`));
  const [crds = [], install = []] = files;
  return { installed: JSON.stringify(install) + JSON.stringify(crds), crds };
}

/** Problem of a command. Undefined if a user can run it unchanged. */
export function problemOf({ program, words, line }: RunbookCommand, facts: Known): string | undefined {
  if (program === "keyvault-injector") return problemOfCli(words);
  if (program === "kubectl") return problemOfKubectl(words, facts);
  return program === "az" || program === "grep" ? undefined : `${line}: what is ${program}?`;
}

function problemOfCli([name = "", ...rest]: readonly string[]): string | undefined {
  const command = COMMANDS.find((each) => each.name === name);
  if (command === undefined) return `no command ${name}`;
  const parsed = parseArguments(rest, command);
  return parsed.ok ? undefined : parsed.error.problems.join("; ");
}

const ON_RESOURCES = new Set(["get", "describe", "annotate", "scale"]);
const OTHERS = new Set(["logs", "apply", "top", "create", "auth", "rollout"]);

function problemOfKubectl(words: readonly string[], facts: Known): string | undefined {
  const [verb = "", ...rest] = positionals(words);
  const raw = optionOf(words, "--raw");
  if (raw !== undefined) return raw.startsWith("/") ? undefined : `${raw} is no path`;
  const target = verb === "rollout" ? rest.slice(1) : rest;
  if (ON_RESOURCES.has(verb) || verb === "rollout") return problemOfTarget(target, facts) ?? problemOfInstall(words, target, facts);
  if (verb === "auth") return problemOfResource(rest[2] ?? "", facts) ?? problemOfInstall(words, [], facts);
  return OTHERS.has(verb) ? problemOfInstall(words, [], facts) : `kubectl has no ${verb}`;
}

function problemOfTarget([first = ""]: readonly string[], facts: Known): string | undefined {
  return problemOfResource(first.split("/")[0] ?? "", facts);
}

function problemOfResource(name: string, { crds }: Known): string | undefined {
  const custom = crds.flatMap((crd) => {
    const names = at(crd, "spec", "names");
    const plural = String(at(names, "plural"));
    return [
      plural,
      `${plural}.${String(at(crd, "spec", "group"))}`,
      String(at(names, "singular")),
      ...listAt(names, "shortNames").map(String),
    ];
  });
  const builtIn: readonly string[] = [...Object.keys(BUILT_IN), ...Object.values(BUILT_IN)];
  return custom.includes(name) || builtIn.includes(name) ? undefined : `no resource ${name}`;
}

/** A name in the install's namespace, a label or an account must be that of an installed object. */
function problemOfInstall(words: readonly string[], target: readonly string[], { installed }: Known): string | undefined {
  const named = optionOf(words, "-n") === "keyvault-injector" ? target.slice(1) : [];
  const labels = (optionOf(words, "-l") ?? "").split(",").filter((label) => label.startsWith("app.kubernetes.io/"));
  const account = optionOf(words, "--as")?.split(":") ?? [];
  const wanted = [...named, ...labels.map((label) => label.split("=")[1] ?? ""), ...account.slice(2)];
  const absent = wanted.find((name) => !installed.includes(`"${name}"`));
  return absent === undefined ? undefined : `nothing that is installed is called ${absent}`;
}
