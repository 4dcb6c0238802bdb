/** What the pod's annotations and its Namespace's say, as the webhook reads them. */
import { POD_ANNOTATIONS } from "../../src/domain/annotations.ts";
import { STARTS_LIKE_A_PATH } from "../../src/domain/injection/annotation-value.ts";
import { MOST_CLASSES } from "../../src/domain/injection/class-mounts.ts";
import { LONGEST_NAMES } from "../../src/domain/injection/container-selection.ts";
import { MOST_SECRETS } from "../../src/domain/injection/env-from.ts";
import { DNS_LABEL, LONGEST_LABEL, LONGEST_SUBDOMAIN } from "../../src/domain/injection/kubernetes-names.ts";
import { DENIALS, PROBLEMS } from "../../src/domain/injection/messages.ts";
import { DEFAULT_CREDENTIALS_SECRET, DEFAULT_MOUNT_PATH, DEFAULT_VOLUME_NAME } from "../../src/domain/injection/settings.ts";
import { WINDOW_SHAPE } from "../../src/domain/rollout/window.ts";
import { type Bounds, bind, choose, cut, first, message, of, type Problem, pieces, quoted, regex, text, type Variable } from "./cel.ts";
import { mountPathProblem, normalPath, pathBelow } from "./paths.ts";

const OWN = "object.metadata.annotations";
const DEFAULTS = "namespaceObject.metadata.?annotations";

type Name = keyof typeof POD_ANNOTATIONS;

const keyOf = (name: Name): string => text(POD_ANNOTATIONS[name]);

/** The pod's own, as an optional string. */
export const ownOf = (name: Name): string => `${OWN}[?${keyOf(name)}]`;

/** The annotation that counts, as an optional string. */
const given = (name: Name): string => `${ownOf(name)}.or(${DEFAULTS}[?${keyOf(name)}])`;

const isOwn = (name: Name): string => `${keyOf(name)} in ${OWN}`;

/** What messages begin with. */
function subjectOf(name: Name): string {
  const annotation = `annotation ${POD_ANNOTATIONS[name]}`;
  const place = `${text(`${annotation} of Namespace `)} + ${quoted("namespaceObject.metadata.name")}`;
  return `(${isOwn(name)} || !${given(name)}.hasValue() ? ${text(annotation)} : ${place})`;
}

/** What a pod is denied with whose annotation says something that it cannot mean. */
export function invalid(name: Name, problem: string): string {
  const value = quoted(`${given(name)}.orValue("")`);
  return `${message(DENIALS.invalid[1], { annotation: subjectOf(name), value, problem: text("") })} + ${problem}`;
}

/** The same of what is wrong with it, where that is not empty. */
function invalidWhere(name: Name, wrong: string): string {
  return bind("wrong", wrong, `wrong == "" ? "" : ${invalid(name, "wrong")}`);
}

export const isLabel = (name: string): string => `(${name}.size() <= ${LONGEST_LABEL} && ${name}.matches(${regex(DNS_LABEL)}))`;

const SUBDOMAIN = DNS_LABEL.source.replace(/^\^/, "").replace(/\$$/, "");

const isSubdomain = (name: string): string =>
  `(${name}.size() <= ${LONGEST_SUBDOMAIN} && ${name}.matches(${regex(`^${SUBDOMAIN}(\\.${SUBDOMAIN})*$`)}))`;

/** Of what a pod says. A Namespace may speak for many classes that are not the pod's. */
const MOST_ITEMS = 64;
const LIST: Bounds = { characters: 8_192, most: MOST_ITEMS };
const PER_CLASS: Bounds = { characters: 70_000, most: 512 };

/** An item that nothing can be called, and that says why. */
const tooMuch = ({ characters, most }: Bounds): string => `["(more than ${most} items or ${characters} characters)"]`;

/** `a, b,c`, of an optional string; without it nothing. */
export const itemsOf = (value: string, bounds: Bounds, otherwise: string): string =>
  `${value}.optMap(value, ${pieces("value", ",", bounds, otherwise)}.map(item, item.trim())).orValue([])`;

const items = (name: Name): string => itemsOf(given(name), LIST, tooMuch(LIST));

interface ListRules {
  /** Of the list, an expression. */
  readonly items: string;
  /** One that is not an empty item, an expression. */
  readonly names: string;
  readonly empty: string;
  /** Of an item that is no name. */
  readonly bad: (item: string) => string;
  readonly isName: (item: string) => string;
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

/** `value`, or `class-a=…,class-b=…`. A path may hold both signs itself. */
interface PerClass {
  readonly name: Name;
  readonly fallback: string;
  /** The problem of one value; empty where it has none. */
  readonly problemOf: (value: string) => string;
}

/** Pairs of a class and its value; an item that is no pair alone; one value for all classes in the middle of three. */
const entriesOf = (name: Name): string => of(`${name}Entries`);
const IS_FOR_ALL = "entry.size() == 3";

function entriesVariable({ name, fallback }: PerClass): Variable {
  const entry = `item.contains("=") ? [item.substring(0, item.indexOf("=")).trim(), item.substring(item.indexOf("=") + 1).trim()] : [item.trim()]`;
  // A default of the Namespace may be for many classes that are not the pod's.
  const all = pieces("whole", ",", PER_CLASS, tooMuch(PER_CLASS));
  const isMeant = `!item.contains("=") || item.substring(0, item.indexOf("=")).trim() in ${of("classes")}`;
  const meant = `${all}.filter(item, ${isOwn(name)} || ${isMeant})`;
  const taken = bind(
    "parts",
    meant,
    `(parts.size() > ${MOST_ITEMS} ? ${tooMuch({ ...PER_CLASS, most: MOST_ITEMS })} : parts).map(item, ${entry})`,
  );
  const isWhole = `!whole.contains("=") || whole.matches(${regex(STARTS_LIKE_A_PATH)})`;
  const said = bind("whole", `${given(name)}.orValue("").trim()`, `${isWhole} ? [["", whole, ""]] : ${taken}`);
  return { name: `${name}Entries`, expression: `${given(name)}.hasValue() ? ${said} : [["", ${text(fallback)}, ""]]` };
}

/** The value for a class: its own as it stands, or the one for all as it is spread over the classes. */
function perClassValue({ name, fallback }: PerClass, className: string, spread: (all: string) => string): string {
  const found = `${entriesOf(name)}.filter(entry, ${IS_FOR_ALL} || entry.size() == 2 && entry[0] == ${className})`;
  const value = `found.size() == 0 ? ${spread(text(fallback))} : (found[0].size() == 2 ? found[0][1] : ${spread("found[0][1]")})`;
  return bind("found", found, value);
}

function perClassProblem({ name, problemOf }: PerClass): Problem {
  const entries = entriesOf(name);
  const classes = `${of("classes")}.join(", ")`;
  const ofPair = choose(
    [
      [`own != ""`, message(PROBLEMS.forClass, { class: quoted("entry[0]"), problem: "own" })],
      [
        `${entries}.filter(other, other.size() == 2 && other[0] == entry[0]).size() > 1`,
        message(PROBLEMS.classTwice, { class: quoted("entry[0]") }),
      ],
      [`${isOwn(name)} && !(entry[0] in ${of("classes")})`, message(PROBLEMS.foreignClass, { class: quoted("entry[0]"), classes })],
    ],
    `""`,
  );
  const ofEntry = choose(
    [["entry.size() == 1", message(PROBLEMS.itemWithoutClass, { item: quoted("entry[0]") })]],
    bind("own", problemOf("entry[1]"), `${IS_FOR_ALL} ? own : ${ofPair}`),
  );
  const found = invalidWhere(name, first(`${entries}.map(entry, ${ofEntry}).filter(problem, problem != "")`));
  return `${given(name)}.hasValue() ? ${found} : ""`;
}

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

/** CEL has no hash: a name that is no DNS label is told apart by its place in the list. */
function volumeNameBelow(base: string, className: string, index: string): string {
  const whole = `${base} + "-" + ${className}`;
  const longest = LONGEST_LABEL - 3;
  const shortened = `whole.replace(".", "-").substring(0, whole.size() < ${longest} ? whole.size() : ${longest}) + "-" + string(${index})`;
  return bind("whole", whole, `${isLabel("whole")} ? whole : ${shortened}`);
}

/** Classes and what is said of each, in lists of the classes' order. */
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
  // Only the pod itself can ask for a reference that may not be left out.
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

const CLASS_PROBLEM = choose(
  [
    [`${of("classes")}.size() == 0`, text(DENIALS.classRequired[1])],
    // As most pods have it.
    [`${IS_ONLY} && ${isSubdomain(`${of("classes")}[0]`)}`, `""`],
  ],
  invalidWhere(
    "secretProviderClass",
    choose(
      [
        [`${of("classes")}.size() > ${MOST_CLASSES}`, message(PROBLEMS.classCount, { most: text(String(MOST_CLASSES)) })],
        ...listProblems({
          items: of("classes"),
          names: of("classes"),
          empty: PROBLEMS.classList,
          bad: (item) => message(PROBLEMS.className, { item }),
          isName: isSubdomain,
        }),
      ],
      `""`,
    ),
  ),
);

const [ITEMS, INCLUDED, EXCLUDED] = [of("containerItems"), of("included"), of("excluded")];

/** By the size of the pod, which its own variable has the bound of. */
export const CONTAINERS_PROBLEM: Problem = `${ITEMS}.size() == 0 ? "" : ${bind("names", `${of("all")}.map(c, c.name)`, containerProblem())}`;

function containerProblem(): string {
  const inList = listProblems({
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

export const SECRETS_PROBLEM: Problem = `${of("secrets")}.size() == 0 ? "" : ${invalidWhere(
  "envFrom",
  choose(
    [
      [`${of("secrets")}.size() > ${MOST_SECRETS}`, message(PROBLEMS.secretCount, { most: text(String(MOST_SECRETS)) })],
      ...listProblems({
        items: of("secrets"),
        names: of("secrets"),
        empty: PROBLEMS.secretList,
        bad: (item) => message(PROBLEMS.secretName, { item }),
        isName: isSubdomain,
      }),
    ],
    `""`,
  ),
)}`;

const LONG_PATHS = `the mount paths of {classes} classes are longer than a policy compares: shorten them, or name fewer classes`;

/** Each path is compared with each. */
export const PATHS_PROBLEM: Problem = `${of("mountPaths")}.map(path, path.size()).sum() * ${of("classes")}.size() > 500000 ? ${message(
  LONG_PATHS,
  { classes: `string(${of("classes")}.size())` },
)} : ""`;

/** In the webhook's order. */
export const ANNOTATION_PROBLEMS: readonly Problem[] = [CLASS_PROBLEM, ...[CREDENTIALS, PATHS, VOLUME_NAMES].map(perClassProblem)];

/** A window that is only a default of the Namespace costs nobody a pod. */
export const RESTART_PROBLEMS: readonly Problem[] = [
  `${given("restartOnRotation")}.orValue("false") in ["true", "false"] ? "" : ${invalid("restartOnRotation", text(PROBLEMS.flag))}`,
  `${ownOf("restartWindow")}.orValue("always").matches(${regex(WINDOW_SHAPE)}) ? "" : ${invalid("restartWindow", message(PROBLEMS.window, { why: text("it is neither") }))}`,
];
