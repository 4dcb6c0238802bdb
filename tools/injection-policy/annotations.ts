/** What the pod's annotations and its Namespace's say, as the webhook reads them. */
import { POD_ANNOTATIONS } from "../../src/domain/annotations.ts";
import { MOST_CLASSES } from "../../src/domain/injection/class-mounts.ts";
import { MOST_SECRETS } from "../../src/domain/injection/env-from.ts";
import { DNS_LABEL, LONGEST_LABEL, LONGEST_SUBDOMAIN } from "../../src/domain/injection/kubernetes-names.ts";
import { DENIALS, PROBLEMS } from "../../src/domain/injection/messages.ts";
import { DEFAULT_CREDENTIALS_SECRET, DEFAULT_MOUNT_PATH, DEFAULT_VOLUME_NAME } from "../../src/domain/injection/settings.ts";
import { WINDOW_SHAPE } from "../../src/domain/rollout/window.ts";
import { bind, choose, first, message, of, quoted, regex, text, type Variable } from "./cel.ts";
import { mountPathProblem, normalPath, pathBelow } from "./paths.ts";

const OWN = "object.metadata.annotations";
const DEFAULTS = "namespaceObject.metadata.?annotations";

/** The annotation that counts, as an optional string. */
const given = (key: string): string => `${OWN}[?${text(key)}].or(${DEFAULTS}[?${text(key)}])`;

const isOwn = (key: string): string => `${text(key)} in ${OWN}`;

function subject(key: string): string {
  const place = `${text(`annotation ${key} of Namespace `)} + ${quoted("namespaceObject.metadata.name")}`;
  return `(${isOwn(key)} ? ${text(`annotation ${key}`)} : ${place})`;
}

/** What a pod is denied with whose annotation says something that it cannot mean. */
export function invalid(key: string, problem: string): string {
  return message(DENIALS.invalid[1], { annotation: subject(key), value: quoted(`${given(key)}.orValue("")`), problem });
}

export const isLabel = (name: string): string => `(${name}.size() <= ${LONGEST_LABEL} && ${name}.matches(${regex(DNS_LABEL)}))`;

const SUBDOMAIN = DNS_LABEL.source.replace(/^\^/, "").replace(/\$$/, "");

const isSubdomain = (name: string): string =>
  `(${name}.size() <= ${LONGEST_SUBDOMAIN} && ${name}.matches(${regex(`^${SUBDOMAIN}(\\.${SUBDOMAIN})*$`)}))`;

/** Characters and items of a list. What is longer is not taken apart: CEL's cost says little of the time that this takes the API server. */
const LONGEST = { list: 8_192, perClass: 70_000, items: 64 } as const;

/** An item that nothing can be called. */
const TOO_MUCH = `["", ""]`;

/** `a, b,c`; without the annotation nothing. */
const items = (key: string): string =>
  `${given(key)}.optMap(value, value.size() > ${LONGEST.list} ? ${TOO_MUCH} : ${bind("parts", `value.split(",")`, `parts.size() > ${LONGEST.items} ? ${TOO_MUCH} : parts.map(item, item.trim())`)}).orValue([])`;

/** Of a list that is longer than `most` the count alone is looked at: it is refused for that. */
function listProblem(key: string, { name, empty, bad, isName, most, tooMany }: ListRules): string {
  const twice = `${name}.filter(item, !${name}.exists_one(other, other == item))`;
  const cases: (readonly [string, string])[] = [
    ...(most === undefined
      ? []
      : [[`${name}.size() > ${most}`, invalid(key, message(tooMany ?? "", { most: text(String(most)) }))] as const]),
    [`${name}.exists(item, item == "")`, invalid(key, text(empty))],
    [`${name}.distinct().size() != ${name}.size()`, invalid(key, message(PROBLEMS.listedTwice, { item: quoted(`${twice}[0]`) }))],
    [
      `${name}.exists(item, !${isName("item")})`,
      invalid(key, message(bad, { item: quoted(`${name}.filter(item, !${isName("item")})[0]`) })),
    ],
  ];
  return choose(cases, `""`);
}

interface ListRules {
  readonly name: string;
  readonly empty: string;
  readonly bad: string;
  readonly isName: (item: string) => string;
  readonly most?: number;
  readonly tooMany?: string;
}

/** `value`, or `class-a=…,class-b=…`. A path may hold both signs itself. */
interface PerClass {
  readonly key: string;
  /** Prefix of the variables' names. */
  readonly name: string;
  readonly fallback: string;
  /** The problem of one value; empty where it has none. */
  readonly problemOf: (value: string) => string;
}

const STARTS_LIKE_A_PATH = String.raw`^([/\\]|[a-zA-Z]:)`;

function perClassVariables({ key, name, fallback }: PerClass): readonly Variable[] {
  const whole = of(`${name}Text`);
  const entry = `item.contains("=") ? [item.substring(0, item.indexOf("=")).trim(), item.substring(item.indexOf("=") + 1).trim()] : [item.trim()]`;
  return [
    { name: `${name}Text`, expression: `${given(key)}.orValue(${text(fallback)}).trim()` },
    { name: `${name}IsOne`, expression: `${whole}.matches(${regex(STARTS_LIKE_A_PATH)}) || !${whole}.contains("=")` },
    // A default of the Namespace may be for many classes that are not the pod's.
    {
      name: `${name}Items`,
      expression: `${of(`${name}IsOne`)} || ${whole}.size() > ${LONGEST.perClass} ? [""].filter(none, false) : ${whole}.split(",").filter(item, ${isOwn(key)} || ${of("classes")}.exists(class, item.trim().startsWith(class)))`,
    },
    {
      name: `${name}Entries`,
      expression: `${of(`${name}Items`)}.size() > ${LONGEST.items} || ${whole}.size() > ${LONGEST.perClass} ? [[""]] : ${of(`${name}Items`)}.map(item, ${entry})`,
    },
  ];
}

/** The value for a class: its own as it stands, or the one for all as it is spread over the classes. */
function perClassValue({ name, fallback }: PerClass, className: string, spread: (all: string) => string): string {
  const entries = of(`${name}Entries`);
  const own = `${entries}.filter(entry, entry.size() == 2 && entry[0] == ${className})`;
  const named = bind("named", own, `named.size() > 0 ? named[0][1] : (${spread(text(fallback))})`);
  return `(${of(`${name}IsOne`)} ? ${spread(of(`${name}Text`))} : ${named})`;
}

function perClassProblem({ key, name, problemOf }: PerClass): string {
  const entries = of(`${name}Entries`);
  const classes = `${of("classes")}.join(", ")`;
  const ofEntry = choose(
    [
      ["entry.size() == 1", message(PROBLEMS.itemWithoutClass, { item: quoted("entry[0]") })],
      [`${problemOf("entry[1]")} != ""`, message(PROBLEMS.forClass, { class: quoted("entry[0]"), problem: problemOf("entry[1]") })],
      [
        `${entries}.filter(other, other.size() == 2 && other[0] == entry[0]).size() > 1`,
        message(PROBLEMS.classTwice, { class: quoted("entry[0]") }),
      ],
      [`${isOwn(key)} && !(entry[0] in ${of("classes")})`, message(PROBLEMS.foreignClass, { class: quoted("entry[0]"), classes })],
    ],
    `""`,
  );
  const one = problemOf(of(`${name}Text`));
  const problem = `${of(`${name}IsOne`)} ? ${one} : ${first(`${entries}.map(entry, ${ofEntry}).filter(problem, problem != "")`)}`;
  return bind("wrong", problem, `wrong == "" ? "" : ${invalid(key, "wrong")}`);
}

const CREDENTIALS: PerClass = {
  key: POD_ANNOTATIONS.credentialsSecret,
  name: "credentials",
  fallback: DEFAULT_CREDENTIALS_SECRET,
  problemOf: (value) => `(${value} == "none" || ${isSubdomain(value)} ? "" : ${text(PROBLEMS.credentials)})`,
};

const PATHS: PerClass = {
  key: POD_ANNOTATIONS.mountPath,
  name: "mountPath",
  fallback: DEFAULT_MOUNT_PATH,
  problemOf: mountPathProblem,
};

const NAMES: PerClass = {
  key: POD_ANNOTATIONS.volumeName,
  name: "volumeName",
  fallback: DEFAULT_VOLUME_NAME,
  problemOf: (value) => `(${isLabel(value)} ? "" : ${text(PROBLEMS.volumeName)})`,
};

const CLASS_KEY = POD_ANNOTATIONS.secretProviderClass;
/** The index of each class. */
export const EACH_CLASS = `lists.range(${of("classes")}.size())`;
const IS_ONLY = `${of("classes")}.size() == 1`;

/** CEL has no hash: a name that is no DNS label is told apart by its place in the list. */
function volumeNameBelow(base: string, className: string, index: string): string {
  const whole = `${base} + "-" + ${className}`;
  const cut = `whole.replace(".", "-").substring(0, whole.size() < ${LONGEST_LABEL - 3} ? whole.size() : ${LONGEST_LABEL - 3}) + "-" + string(${index})`;
  return bind("whole", whole, `${isLabel("whole")} ? whole : ${cut}`);
}

const CLASS = `${of("classes")}[index]`;

/** The word for no reference. */
const REFERENCE = perClassValue(CREDENTIALS, CLASS, (all) => all);

/** Classes and what is said of each, in lists of the classes' order. */
export const ANNOTATION_VARIABLES: readonly Variable[] = [
  {
    name: "classes",
    expression: `${given(CLASS_KEY)}.orValue("").trim() == "" ? [""].filter(none, false) : ${items(CLASS_KEY)}`,
  },
  ...perClassVariables(CREDENTIALS),
  ...perClassVariables(PATHS),
  ...perClassVariables(NAMES),
  { name: "references", expression: `${EACH_CLASS}.map(index, ${bind("reference", REFERENCE, `reference == "none" ? "" : reference`)})` },
  // Only the pod itself can ask for a reference that may not be left out.
  {
    name: "isDefaultReference",
    expression: `${EACH_CLASS}.map(index, ${of("references")}[index] != "" && (!(${isOwn(CREDENTIALS.key)}) || !${of("credentialsIsOne")} && !${of("credentialsEntries")}.exists(entry, entry[0] == ${CLASS})))`,
  },
  {
    name: "mountPaths",
    expression: `${EACH_CLASS}.map(index, ${perClassValue(PATHS, CLASS, (all) => `(${IS_ONLY} ? ${all} : ${pathBelow(all, CLASS)})`)}).map(path, ${normalPath("path")})`,
  },
  {
    name: "volumeNames",
    expression: `${EACH_CLASS}.map(index, ${perClassValue(NAMES, CLASS, (all) => `(${IS_ONLY} ? ${all} : ${volumeNameBelow(all, CLASS, "index")})`)})`,
  },
  { name: "containerItems", expression: items(POD_ANNOTATIONS.containers) },
  { name: "excluded", expression: `${of("containerItems")}.filter(item, item.startsWith("-")).map(item, item.substring(1))` },
  { name: "included", expression: `${of("containerItems")}.filter(item, !item.startsWith("-"))` },
  { name: "secrets", expression: items(POD_ANNOTATIONS.envFrom) },
];

const CLASS_PROBLEM = choose(
  [
    [`${of("classes")}.size() == 0`, text(DENIALS.classRequired[1])],
    // As most pods have it.
    [`${of("classes")}.size() == 1 && ${isSubdomain(`${of("classes")}[0]`)}`, `""`],
  ],
  listProblem(CLASS_KEY, {
    name: of("classes"),
    empty: PROBLEMS.classList,
    bad: PROBLEMS.className,
    isName: isSubdomain,
    most: MOST_CLASSES,
    tooMany: PROBLEMS.classCount,
  }),
);

const KNOWN = "(object.spec.?initContainers.orValue([]).map(c, c.name) + object.spec.containers.map(c, c.name))";
const CONTAINERS = POD_ANNOTATIONS.containers;

const CONTAINER_PROBLEM = choose(
  [
    [`${of("containerItems")}.size() == 0`, `""`],
    [`${of("containerItems")}.exists(item, item == "")`, invalid(CONTAINERS, text(PROBLEMS.containerList))],
    [
      `${of("containerItems")}.distinct().size() != ${of("containerItems")}.size()`,
      invalid(
        CONTAINERS,
        message(PROBLEMS.listedTwice, {
          item: quoted(`${of("containerItems")}.filter(item, !${of("containerItems")}.exists_one(other, other == item))[0]`),
        }),
      ),
    ],
    [
      `(${of("included")} + ${of("excluded")}).exists(item, !${isLabel("item")})`,
      invalid(
        CONTAINERS,
        message(PROBLEMS.containerName, { item: quoted(`(${of("included")} + ${of("excluded")}).filter(item, !${isLabel("item")})[0]`) }),
      ),
    ],
    [
      `${of("included")}.exists(item, item in ${of("excluded")})`,
      invalid(
        CONTAINERS,
        message(PROBLEMS.containerBoth, { item: quoted(`${of("included")}.filter(item, item in ${of("excluded")})[0]`) }),
      ),
    ],
    [
      `${isOwn(CONTAINERS)} && ${of("included")}.exists(item, !(item in ${KNOWN}))`,
      message(DENIALS.containerNotFound[1], {
        annotation: subject(CONTAINERS),
        item: quoted(`${of("included")}.filter(item, !(item in ${KNOWN}))[0]`),
        containers: bind("names", `${KNOWN}.join(", ")`, `names.size() > 300 ? names.substring(0, 297) + "..." : names`),
      }),
    ],
    [
      `!${KNOWN}.exists(item, !(item in ${of("excluded")}) && (${of("included")}.size() == 0 || item in ${of("included")}))`,
      invalid(CONTAINERS, text(PROBLEMS.containerNone)),
    ],
  ],
  `""`,
);

const SECRET_PROBLEM = listProblem(POD_ANNOTATIONS.envFrom, {
  name: of("secrets"),
  empty: PROBLEMS.secretList,
  bad: PROBLEMS.secretName,
  isName: isSubdomain,
  most: MOST_SECRETS,
  tooMany: PROBLEMS.secretCount,
});

const RESTART = POD_ANNOTATIONS.restartOnRotation;
const WINDOW = POD_ANNOTATIONS.restartWindow;

/** In the webhook's order. A window that is only a default of the Namespace costs nobody a pod. */
export const ANNOTATION_PROBLEMS: readonly Variable[] = [
  { name: "classProblem", expression: CLASS_PROBLEM },
  { name: "credentialsProblem", expression: perClassProblem(CREDENTIALS) },
  { name: "mountPathProblem", expression: perClassProblem(PATHS) },
  { name: "volumeNameProblem", expression: perClassProblem(NAMES) },
];

export const LATER_PROBLEMS: readonly Variable[] = [
  { name: "containerProblem", expression: CONTAINER_PROBLEM },
  { name: "secretProblem", expression: SECRET_PROBLEM },
];

export const LAST_PROBLEMS: readonly Variable[] = [
  {
    name: "restartProblem",
    expression: `${given(RESTART)}.orValue("false") in ["true", "false"] ? "" : ${invalid(RESTART, text(PROBLEMS.flag))}`,
  },
  {
    name: "windowProblem",
    expression: `${OWN}[?${text(WINDOW)}].orValue("always").matches(${regex(WINDOW_SHAPE)}) ? "" : ${invalid(WINDOW, message(PROBLEMS.window, { why: text("it is neither") }))}`,
  },
];
