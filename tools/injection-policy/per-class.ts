/** Reads annotations with one value for all classes, or one for each class. */
import { STARTS_LIKE_A_PATH } from "../../src/domain/injection/annotation-value.ts";
import { PROBLEMS } from "../../src/domain/injection/messages.ts";
import { type Bounds, bind, choose, first, message, of, type Problem, pieces, quoted, regex, text, type Variable } from "./cel.ts";
import { given, invalidWhere, isOwn, MOST_ITEMS, type Name, tooMuch } from "./given.ts";

/** Bounds of a Namespace's default, which can contain many classes that the pod does not use. */
const PER_CLASS: Bounds = { characters: 70_000, most: 512 };

/** An annotation of the form `value`, or `class-a=…,class-b=…`. A path may itself contain both signs. */
export interface PerClass {
  readonly name: Name;
  readonly fallback: string;
  /** The problem of one value. Empty if the value is valid. */
  readonly problemOf: (value: string) => string;
}

/** Entries as lists: a class and its value, an invalid item alone, or three items with one value for all classes in the middle. */
export const entriesOf = (name: Name): string => of(`${name}Entries`);
export const IS_FOR_ALL = "entry.size() == 3";

export function entriesVariable({ name, fallback }: PerClass): Variable {
  const entry = `item.contains("=") ? [item.substring(0, item.indexOf("=")).trim(), item.substring(item.indexOf("=") + 1).trim()] : [item.trim()]`;
  // A default of the Namespace can contain many classes that the pod does not use.
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

/** The value for a class: its own value unchanged, or the value for all classes in the form for this class. */
export function perClassValue({ name, fallback }: PerClass, className: string, spread: (all: string) => string): string {
  const found = `${entriesOf(name)}.filter(entry, ${IS_FOR_ALL} || entry.size() == 2 && entry[0] == ${className})`;
  const value = `found.size() == 0 ? ${spread(text(fallback))} : (found[0].size() == 2 ? found[0][1] : ${spread("found[0][1]")})`;
  return bind("found", found, value);
}

export function perClassProblem({ name, problemOf }: PerClass): Problem {
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
