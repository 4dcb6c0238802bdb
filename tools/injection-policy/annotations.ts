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
import { type Bounds, bind, choose, cut, first, message, none, of, pieces, quoted, regex, text, type Variable } from "./cel.ts";
import { mountPathProblem, normalPath, pathBelow } from "./paths.ts";

const OWN = "object.metadata.annotations";
const DEFAULTS = "namespaceObject.metadata.?annotations";

/** By the names in POD_ANNOTATIONS, which are those of the variables, too. */
const NAMES = [
  "secretProviderClass",
  "credentialsSecret",
  "mountPath",
  "volumeName",
  "containers",
  "envFrom",
  "restartOnRotation",
  "restartWindow",
] as const;

type Name = (typeof NAMES)[number];

const keyOf = (name: Name): string => text(POD_ANNOTATIONS[name]);

/** The pod's own, as an optional string. */
export const ownOf = (name: Name): string => `${OWN}[?${keyOf(name)}]`;

/** The annotation that counts, as an optional string. */
const given = (name: Name): string => `${ownOf(name)}.or(${DEFAULTS}[?${keyOf(name)}])`;

const isOwn = (name: Name): string => `${keyOf(name)} in ${OWN}`;

const subjectOf = (name: Name): string => of(`${name}Subject`);

/** What messages begin with. */
const SUBJECTS: readonly Variable[] = NAMES.flatMap((name) => {
  const annotation = `annotation ${POD_ANNOTATIONS[name]}`;
  const place = `${text(`${annotation} of Namespace `)} + ${quoted("namespaceObject.metadata.name")}`;
  return [
    { name: `${name}Subject`, expression: `${isOwn(name)} ? ${text(annotation)} : ${place}` },
    {
      name: `${name}Is`,
      expression: message(DENIALS.invalid[1], {
        annotation: subjectOf(name),
        value: quoted(`${given(name)}.orValue("")`),
        problem: text(""),
      }),
    },
  ];
});

/** What a pod is denied with whose annotation says something that it cannot mean. */
export function invalid(name: Name, problem: string): string {
  return `${of(`${name}Is`)} + ${problem}`;
}

export const isLabel = (name: string): string => `(${name}.size() <= ${LONGEST_LABEL} && ${name}.matches(${regex(DNS_LABEL)}))`;

const SUBDOMAIN = DNS_LABEL.source.replace(/^\^/, "").replace(/\$$/, "");

const isSubdomain = (name: string): string =>
  `(${name}.size() <= ${LONGEST_SUBDOMAIN} && ${name}.matches(${regex(`^${SUBDOMAIN}(\\.${SUBDOMAIN})*$`)}))`;

/** Of what a pod says. A Namespace may speak for many classes that are not the pod's. */
const MOST_ITEMS = 64;
const LIST: Bounds = { characters: 8_192, most: MOST_ITEMS };
const PER_CLASS: Bounds = { characters: 70_000, most: 512 };

/** An item that nothing can be called. */
const TOO_MUCH = `["", ""]`;
const NO_TEXTS = none(`""`);

/** `a, b,c`; without the annotation nothing. */
const items = (name: Name): string =>
  `${given(name)}.optMap(value, ${pieces("value", ",", LIST, TOO_MUCH)}.map(item, item.trim())).orValue([])`;

interface ListRules {
  readonly annotation: Name;
  /** Of the list, an expression. */
  readonly items: string;
  /** One that is not an empty item, an expression. */
  readonly names: string;
  readonly empty: string;
  /** Of an item that is no name. */
  readonly bad: (item: string) => string;
  readonly isName: (item: string) => string;
}

function listProblems({ annotation, items: all, names, empty, bad, isName }: ListRules): readonly (readonly [string, string])[] {
  const twice = `${all}.filter(item, !${all}.exists_one(other, other == item))[0]`;
  const strange = `${names}.filter(item, !${isName("item")})[0]`;
  return [
    [`"" in ${all}`, invalid(annotation, text(empty))],
    [`${all}.distinct().size() != ${all}.size()`, invalid(annotation, message(PROBLEMS.listedTwice, { item: quoted(twice) }))],
    [`!${names}.all(item, ${isName("item")})`, invalid(annotation, bad(quoted(strange)))],
  ];
}

/** Of a list that is longer than `most` the count alone is looked at: it is refused for that. */
function countProblem(
  annotation: Name,
  count: { readonly items: string; readonly most: number; readonly said: string },
): readonly [string, string] {
  return [`${count.items}.size() > ${count.most}`, invalid(annotation, count.said)];
}

/** `value`, or `class-a=…,class-b=…`. A path may hold both signs itself. */
interface PerClass {
  readonly name: Name;
  readonly fallback: string;
  /** The problem of one value; empty where it has none. */
  readonly problemOf: (value: string) => string;
}

/** Pairs of a class and its value; an item that is no pair alone. */
const entriesOf = (name: Name): string => of(`${name}Entries`);
/** One value for all classes, which is the text as it stands. */
const isOne = (name: Name): string => of(`${name}IsOne`);
const textOf = (name: Name): string => of(`${name}Text`);

function perClassVariables({ name, fallback, problemOf }: PerClass): readonly Variable[] {
  const [whole, entries] = [textOf(name), entriesOf(name)];
  const entry = `item.contains("=") ? [item.substring(0, item.indexOf("=")).trim(), item.substring(item.indexOf("=") + 1).trim()] : [item.trim()]`;
  // A default of the Namespace may be for many classes that are not the pod's.
  const all = pieces(whole, ",", PER_CLASS, TOO_MUCH);
  const meant = `${all}.filter(item, ${isOwn(name)} || ${of("classes")}.exists(class, item.trim().startsWith(class)))`;
  const taken = bind("parts", meant, `parts.size() > ${MOST_ITEMS} ? [[""]] : parts.map(item, ${entry})`);
  return [
    { name: `${name}Text`, expression: `${given(name)}.orValue(${text(fallback)}).trim()` },
    { name: `${name}IsOne`, expression: `!${whole}.contains("=") || ${whole}.matches(${regex(STARTS_LIKE_A_PATH)})` },
    {
      name: `${name}Entries`,
      expression: `${isOne(name)} ? ${none(`[""]`)} : ${taken}`,
    },
    {
      name: `${name}Problems`,
      expression: `(${isOne(name)} ? [${whole}] : ${entries}.map(entry, entry.size() == 1 ? "" : entry[1])).map(value, ${problemOf("value")})`,
    },
  ];
}

/** The value for a class: its own as it stands, or the one for all as it is spread over the classes. */
function perClassValue({ name, fallback }: PerClass, className: string, spread: (all: string) => string): string {
  const own = `${entriesOf(name)}.filter(entry, entry.size() == 2 && entry[0] == ${className})`;
  const named = bind("named", own, `named.size() > 0 ? named[0][1] : (${spread(text(fallback))})`);
  return `(${isOne(name)} ? ${spread(textOf(name))} : ${named})`;
}

function perClassProblem({ name }: PerClass): Variable {
  const [entries, problems] = [entriesOf(name), of(`${name}Problems`)];
  const classes = `${of("classes")}.join(", ")`;
  const ofEntry = choose(
    [
      ["entry.size() == 1", message(PROBLEMS.itemWithoutClass, { item: quoted("entry[0]") })],
      [`${problems}[at] != ""`, message(PROBLEMS.forClass, { class: quoted("entry[0]"), problem: `${problems}[at]` })],
      [
        `${entries}.filter(other, other.size() == 2 && other[0] == entry[0]).size() > 1`,
        message(PROBLEMS.classTwice, { class: quoted("entry[0]") }),
      ],
      [`${isOwn(name)} && !(entry[0] in ${of("classes")})`, message(PROBLEMS.foreignClass, { class: quoted("entry[0]"), classes })],
    ],
    `""`,
  );
  const found = `${isOne(name)} ? ${problems}[0] : ${first(`${entries}.transformList(at, entry, ${ofEntry}).filter(problem, problem != "")`)}`;
  return { name: `${name}Problem`, expression: bind("wrong", found, `wrong == "" ? "" : ${invalid(name, "wrong")}`), isProblem: true };
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
  ...SUBJECTS,
  {
    name: "classes",
    expression: `${given("secretProviderClass")}.orValue("").trim() == "" ? ${NO_TEXTS} : ${items("secretProviderClass")}`,
  },
  { name: "eachClass", expression: `lists.range(${of("classes")}.size())` },
  ...perClassVariables(CREDENTIALS),
  ...perClassVariables(PATHS),
  ...perClassVariables(VOLUME_NAMES),
  {
    name: "references",
    expression: `${of("classes")}.map(class, ${perClassValue(CREDENTIALS, "class", (all) => all)}).map(reference, reference == "none" ? "" : reference)`,
  },
  // Only the pod itself can ask for a reference that may not be left out.
  {
    name: "isDefaultReference",
    expression: `${of("classes")}.transformList(index, class, ${of("references")}[index] != "" && (!(${isOwn("credentialsSecret")}) || !${isOne("credentialsSecret")} && !${entriesOf("credentialsSecret")}.exists(entry, entry[0] == class)))`,
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

const CLASS_RULES: ListRules = {
  annotation: "secretProviderClass",
  items: of("classes"),
  names: of("classes"),
  empty: PROBLEMS.classList,
  bad: (item) => message(PROBLEMS.className, { item }),
  isName: isSubdomain,
};

const CLASS_PROBLEM = choose(
  [
    [`${of("classes")}.size() == 0`, text(DENIALS.classRequired[1])],
    // As most pods have it.
    [`${IS_ONLY} && ${isSubdomain(`${of("classes")}[0]`)}`, `""`],
    countProblem("secretProviderClass", {
      items: of("classes"),
      most: MOST_CLASSES,
      said: message(PROBLEMS.classCount, { most: text(String(MOST_CLASSES)) }),
    }),
    ...listProblems(CLASS_RULES),
  ],
  `""`,
);

const CONTAINER_NAMES = of("names");
const [INCLUDED, EXCLUDED] = [of("included"), of("excluded")];

const CONTAINER_RULES: ListRules = {
  annotation: "containers",
  items: of("containerItems"),
  names: `(${INCLUDED} + ${EXCLUDED})`,
  empty: PROBLEMS.containerList,
  bad: (item) => message(PROBLEMS.containerName, { item }),
  isName: isLabel,
};

const CONTAINER_PROBLEM = choose(
  [
    [`${of("containerItems")}.size() == 0`, `""`],
    ...listProblems(CONTAINER_RULES),
    [
      `${INCLUDED}.exists(item, item in ${EXCLUDED})`,
      invalid("containers", message(PROBLEMS.containerBoth, { item: quoted(`${INCLUDED}.filter(item, item in ${EXCLUDED})[0]`) })),
    ],
    [
      `${isOwn("containers")} && !${INCLUDED}.all(item, item in ${CONTAINER_NAMES})`,
      message(DENIALS.containerNotFound[1], {
        annotation: subjectOf("containers"),
        item: quoted(`${INCLUDED}.filter(item, !(item in ${CONTAINER_NAMES}))[0]`),
        containers: bind("names", `${CONTAINER_NAMES}.join(", ")`, cut("names", LONGEST_NAMES)),
      }),
    ],
    [`${of("selected")}.size() == 0`, invalid("containers", text(PROBLEMS.containerNone))],
  ],
  `""`,
);

const SECRET_RULES: ListRules = {
  annotation: "envFrom",
  items: of("secrets"),
  names: of("secrets"),
  empty: PROBLEMS.secretList,
  bad: (item) => message(PROBLEMS.secretName, { item }),
  isName: isSubdomain,
};

const SECRET_PROBLEM = choose(
  [
    [`${of("secrets")}.size() == 0`, `""`],
    countProblem("envFrom", {
      items: of("secrets"),
      most: MOST_SECRETS,
      said: message(PROBLEMS.secretCount, { most: text(String(MOST_SECRETS)) }),
    }),
    ...listProblems(SECRET_RULES),
  ],
  `""`,
);

const problem = (name: string, expression: string): Variable => ({ name: `${name}Problem`, expression, isProblem: true });

/** In the webhook's order. */
export const ANNOTATION_PROBLEMS: readonly Variable[] = [
  problem("class", CLASS_PROBLEM),
  ...[CREDENTIALS, PATHS, VOLUME_NAMES].map(perClassProblem),
];

export const LIST_PROBLEMS: readonly Variable[] = [problem("containers", CONTAINER_PROBLEM), problem("envFrom", SECRET_PROBLEM)];

/** A window that is only a default of the Namespace costs nobody a pod. */
export const RESTART_PROBLEMS: readonly Variable[] = [
  problem(
    "restartOnRotation",
    `${given("restartOnRotation")}.orValue("false") in ["true", "false"] ? "" : ${invalid("restartOnRotation", text(PROBLEMS.flag))}`,
  ),
  problem(
    "restartWindow",
    `${ownOf("restartWindow")}.orValue("always").matches(${regex(WINDOW_SHAPE)}) ? "" : ${invalid("restartWindow", message(PROBLEMS.window, { why: text("it is neither") }))}`,
  ),
];
