/** Reads the annotations of the pod and of its Namespace like the webhook. */
import { MOST_CLASSES } from "../../src/domain/injection/class-mounts.ts";
import { LONGEST_NAMES } from "../../src/domain/injection/container-selection.ts";
import { MOST_SECRETS } from "../../src/domain/injection/env-from.ts";
import { DENIALS, PROBLEMS } from "../../src/domain/injection/messages.ts";
import { DEFAULT_CREDENTIALS_SECRET, DEFAULT_MOUNT_PATH, DEFAULT_VOLUME_NAME } from "../../src/domain/injection/settings.ts";
import { LONGEST_LABEL } from "../../src/domain/kubernetes-names.ts";
import { WINDOW_SHAPE } from "../../src/domain/schedule/restart-window.ts";
import { bind, choose, cut, message, of, type Problem, quoted, regex, text, type Variable } from "./cel.ts";
import { given, invalid, invalidWhere, isLabel, isOwn, isSubdomain, items, type Name, ownOf, subjectOf } from "./given.ts";
import { mountPathProblem, normalPath, pathBelow } from "./paths.ts";
import { entriesOf, entriesVariable, IS_FOR_ALL, type PerClass, perClassProblem, perClassValue } from "./per-class.ts";

const CREDENTIALS: PerClass = {
  name: "credentialsSecret",
  fallback: DEFAULT_CREDENTIALS_SECRET,
  problemOf: (value) => `(${value} == "none" || ${isSubdomain(value)} ? "" : ${text(PROBLEMS.credentials)})`,
};

const PATHS: PerClass = { name: "mountPath", fallback: DEFAULT_MOUNT_PATH, problemOf: mountPathProblem };

const VOLUME_NAMES: PerClass = {
  name: "volumeName",
  fallback: DEFAULT_VOLUME_NAME,
  problemOf: (value) => `(${isLabel(value)} ? "" : ${text(PROBLEMS.volumeName)})`,
};

/** The index of each class. */
export const EACH_CLASS = of("eachClass");
const IS_ONLY = `${of("classes")}.size() == 1`;

/** CEL has no hash function, so that the class's index in the list makes a name unique that is not a DNS label. */
function volumeNameBelow(base: string, className: string, index: string): string {
  const whole = `${base} + "-" + ${className}`;
  const longest = LONGEST_LABEL - 3;
  const shortened = `whole.replace(".", "-").substring(0, whole.size() < ${longest} ? whole.size() : ${longest}) + "-" + string(${index})`;
  return bind("whole", whole, `${isLabel("whole")} ? whole : ${shortened}`);
}

/** Classes and their settings, in lists with the order of the classes. */
export const ANNOTATION_VARIABLES: readonly Variable[] = [
  {
    name: "classes",
    expression: `${given("secretProviderClass")}.orValue("").trim() == "" ? [] : ${items("secretProviderClass")}`,
  },
  { name: "eachClass", expression: `lists.range(${of("classes")}.size())` },
  ...[CREDENTIALS, PATHS, VOLUME_NAMES].map(entriesVariable),
  {
    name: "references",
    expression: `${of("classes")}.map(class, ${perClassValue(CREDENTIALS, "class", (all) => all)}).map(reference, reference == "none" ? "" : reference)`,
  },
  // Only the pod's own annotation can require the reference.
  {
    name: "isDefaultReference",
    expression: `${of("classes")}.transformList(index, class, ${of("references")}[index] != "" && (!(${isOwn("credentialsSecret")}) || !${entriesOf("credentialsSecret")}.exists(entry, ${IS_FOR_ALL} || entry[0] == class)))`,
  },
  {
    name: "mountPaths",
    expression: `${of("classes")}.map(class, ${perClassValue(PATHS, "class", (all) => `(${IS_ONLY} ? ${all} : ${pathBelow(all, "class")})`)}).map(path, ${normalPath("path")})`,
  },
  {
    name: "volumeNames",
    expression: `${of("classes")}.transformList(index, class, ${perClassValue(VOLUME_NAMES, "class", (all) => `(${IS_ONLY} ? ${all} : ${volumeNameBelow(all, "class", "index")})`)})`,
  },
  { name: "containerItems", expression: items("containers") },
  { name: "excluded", expression: `${of("containerItems")}.map(item, item.startsWith("-"), item.substring(1))` },
  { name: "included", expression: `${of("containerItems")}.filter(item, !item.startsWith("-"))` },
  { name: "secrets", expression: items("envFrom") },
];

interface ListRules {
  readonly annotation: Name;
  /** CEL expression for the list. */
  readonly items: string;
  /** CEL expression for the items that must be names. */
  readonly names: string;
  readonly empty: string;
  /** Problem of an item that is not a name. */
  readonly bad: (item: string) => string;
  readonly isName: (item: string) => string;
}

/** The problem of a list. Checks only the count if a list has more than `most` items. */
function listProblem(rules: ListRules, most: number, count: typeof PROBLEMS.classCount | typeof PROBLEMS.secretCount): Problem {
  const cases = [[`${rules.items}.size() > ${most}`, message(count, { most: text(String(most)) })] as const, ...listProblems(rules)];
  return invalidWhere(rules.annotation, choose(cases, `""`));
}

function listProblems({ items: all, names, empty, bad, isName }: ListRules): readonly (readonly [string, string])[] {
  const twice = `${all}.filter(item, !${all}.exists_one(other, other == item))[0]`;
  const strange = `${names}.filter(item, !${isName("item")})[0]`;
  return [
    [`"" in ${all}`, text(empty)],
    [`${all}.distinct().size() != ${all}.size()`, message(PROBLEMS.listedTwice, { item: quoted(twice) })],
    [`!${names}.all(item, ${isName("item")})`, bad(quoted(strange))],
  ];
}

const CLASS_PROBLEM = choose(
  [
    [`${of("classes")}.size() == 0`, text(DENIALS.classRequired[1])],
    // The form that most pods use.
    [`${IS_ONLY} && ${isSubdomain(`${of("classes")}[0]`)}`, `""`],
  ],
  listProblem(
    {
      annotation: "secretProviderClass",
      items: of("classes"),
      names: of("classes"),
      empty: PROBLEMS.classList,
      bad: (item) => message(PROBLEMS.className, { item }),
      isName: isSubdomain,
    },
    MOST_CLASSES,
    PROBLEMS.classCount,
  ),
);

const [ITEMS, INCLUDED, EXCLUDED] = [of("containerItems"), of("included"), of("excluded")];

/** Its cost depends on the size of the pod, for which a variable of its own has a bound. */
export const CONTAINERS_PROBLEM: Problem = `${ITEMS}.size() == 0 ? "" : ${bind("names", `${of("all")}.map(c, c.name)`, containerProblem())}`;

function containerProblem(): string {
  const inList = listProblems({
    annotation: "containers",
    items: ITEMS,
    names: `(${INCLUDED} + ${EXCLUDED})`,
    empty: PROBLEMS.containerList,
    bad: (item) => message(PROBLEMS.containerName, { item }),
    isName: isLabel,
  });
  const both = message(PROBLEMS.containerBoth, { item: quoted(`${INCLUDED}.filter(item, item in ${EXCLUDED})[0]`) });
  const unknown = message(DENIALS.containerNotFound[1], {
    annotation: subjectOf("containers"),
    item: quoted(`${INCLUDED}.filter(item, !(item in names))[0]`),
    containers: bind("names", `names.join(", ")`, cut("names", LONGEST_NAMES)),
  });
  return choose(
    [
      ...inList.map(([condition, said]) => [condition, invalid("containers", said)] as const),
      [`${INCLUDED}.exists(item, item in ${EXCLUDED})`, invalid("containers", both)],
      [`${isOwn("containers")} && !${INCLUDED}.all(item, item in names)`, unknown],
      [`${of("selected")}.size() == 0`, invalid("containers", text(PROBLEMS.containerNone))],
    ],
    `""`,
  );
}

export const SECRETS_PROBLEM: Problem = `${of("secrets")}.size() == 0 ? "" : ${listProblem(
  {
    annotation: "envFrom",
    items: of("secrets"),
    names: of("secrets"),
    empty: PROBLEMS.secretList,
    bad: (item) => message(PROBLEMS.secretName, { item }),
    isName: isSubdomain,
  },
  MOST_SECRETS,
  PROBLEMS.secretCount,
)}`;

/**
 * Highest product of the characters of all mount paths and the number of classes, because the policy compares each path with each other.
 */
const MOST_COMPARED = 500_000;
const LONG_PATHS = `the mount paths of {classes} classes are longer than a policy can compare: shorten them, or name fewer classes`;

export const PATHS_PROBLEM: Problem = `${of("mountPaths")}.map(path, path.size()).sum() * ${of("classes")}.size() > ${MOST_COMPARED} ? ${message(
  LONG_PATHS,
  { classes: `string(${of("classes")}.size())` },
)} : ""`;

/** In the webhook's order. */
export const ANNOTATION_PROBLEMS: readonly Problem[] = [CLASS_PROBLEM, ...[CREDENTIALS, PATHS, VOLUME_NAMES].map(perClassProblem)];

/** An invalid window in a default of the Namespace must not prevent a pod. */
export const RESTART_PROBLEMS: readonly Problem[] = [
  `${given("restartOnRotation")}.orValue("false") in ["true", "false"] ? "" : ${invalid("restartOnRotation", text(PROBLEMS.flag))}`,
  `${ownOf("restartWindow")}.orValue("always").matches(${regex(WINDOW_SHAPE)}) ? "" : ${invalid("restartWindow", message(PROBLEMS.window, { why: text("it is neither") }))}`,
];
