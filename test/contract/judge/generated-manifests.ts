/** Manifest files as people and tools write them: the same values in many spellings, several documents in a file, with typing mistakes. */
import type { Random } from "../../support/fixtures/random.ts";
import { disturb } from "./generated-yaml.ts";

/** Plain scalars that a reader of another YAML version misreads. */
const ODD_SCALARS = [
  ..."y Y yes Yes YES n N no No NO on On ON off Off OFF true True TRUE tRue false False null Null NULL ~ nil".split(" "),
  ..."0 -0 +0 00 01 010 08 0o17 0O17 0o8 0b1 0B1 0b2 0b-1 0b+1 -0b1 0x1f 0X1F 0x -0x1f +0x1f 0x_1f 1_000 1__0 1_ _1 -_1".split(" "),
  ..."9007199254740991 9007199254740993 -9007199254740993 9223372036854775807 9223372036854775808 18446744073709551615".split(" "),
  ..."18446744073709551616 -9223372036854775808 -9223372036854775809 123456789012345678901234567890 0xffffffffffffffff".split(" "),
  ..."1. .5 +.5 -.5 ._5 .5_0 .5__0 .5_ 1_0.5 0.1 1.50 1e3 1E3 1e+3 1e-3 12e3456 1e400 -1e400 1e-400 .5e3 .5e400 1.e5 0777e1".split(" "),
  ..."0.1e-6 1e21 1e20 123456789.0 1e18 1.0 -0.0 3.14159265358979 1e100 1.7976931348623157e308 5e-324 0x1p3 1p3 Infinity NaN".split(" "),
  ..."1:30 190:20:30 2020-01-01 2020-1-1 2020-13-01 2001-12-14t21:59:43.10-05:00 2001-12-15T02:59:43.1Z 12e03 1.2.3 1.2 v1".split(" "),
  ..."+ . .. ... - -- --- + +- -. .e5 e5 = << .n .inf .Inf -.INF .nan .NaN 1,000 0x1g 0b102 1e 1e+ @x `x %x".split(" "),
  ..."a:b a: :a a#b a #b ?a -a a- http://x/y?z=1&b={c}[d],e $(VAR) {{x}} *.example.com 'a' é \u0085 \u2028x \u00a0 \ufeff".split(" "),
];

const TEXTS = [
  "",
  " ",
  "a",
  "a b",
  " a ",
  "a: b",
  "a #b",
  "'",
  '"',
  "\\",
  "\n",
  "a\nb",
  "a\n\nb\n",
  "\ta",
  "a\t",
  "é😀",
  "\u0085",
  "\u2028",
  "#",
  "- a",
  "{",
  "| ",
  "<<",
];
const TAGS = [
  "!!str",
  "!!int",
  "!!float",
  "!!bool",
  "!!null",
  "!!binary",
  "!!timestamp",
  "!",
  "!x",
  "!<tag:yaml.org,2002:str>",
  "!!map",
  "!!seq",
  "!!set",
] as const;
const KEYS = ["a", "b", "c", "kind", "name", "metadata", "key with blanks", "k/1.x"] as const;

type Spelling = (random: Random) => string;

const double = (text: string): string => JSON.stringify(text);
const single = (text: string): string => `'${text.replaceAll("'", "''").replaceAll("\n", "\n\n")}'`;

const folded: Spelling = (random) =>
  random.pick([
    '"a\n b"',
    '"a\nb"',
    '"a \\\n  b"',
    "'a\n\n  b'",
    "'a\nb'",
    '"\n"',
    '"a\\\n\\  b"',
    '"a\t\n\tb"',
    '"\\x41\\u00e9\\U0001F600\\N\\_\\L\\/"',
    '"\\q"',
    '"\\ud83d\\ude00"',
  ]);

function flowScalar(random: Random): string {
  const style = random.integer(0, 9);
  if (style < 5) return random.pick(ODD_SCALARS);
  if (style === 5) return `${random.pick(TAGS)} ${random.chance(0.5) ? random.pick(ODD_SCALARS) : double(random.pick(ODD_SCALARS))}`;
  if (style === 6) return folded(random);
  return random.chance(0.5) ? double(random.pick(TEXTS)) : single(random.pick(TEXTS));
}

/** Text that can follow a key or a dash, at the indentation of its own lines. */
function blockScalar(random: Random, indent: string): string {
  const head = random.pick(["|", "|", "|-", "|+", ">", ">-", ">+", "|2", "|1-", ">2+", "| # c", "|  ", "|x"]);
  const lines = Array.from({ length: random.integer(0, 4) }, () =>
    random.pick(["a", "b  ", "  c", "", "", "\td", " e", "# f", "- g: h", "..."]),
  );
  const inner = random.pick(["  ", "  ", " ", "   ", ""]);
  return `${head}\n${lines.map((line) => (line === "" ? "" : `${indent}${inner}${line}`)).join("\n")}`;
}

function flow(random: Random, depth: number): string {
  if (depth === 0 || random.chance(0.4)) return random.chance(0.05) ? random.pick(["*x", "*y"]) : flowScalar(random);
  const join = random.pick([", ", ",", ",\n  ", " , ", ",\n"]);
  const close = random.pick(["", " ", "\n", ", "]);
  const count = random.integer(0, 3);
  if (random.chance(0.5)) return `[${Array.from({ length: count }, () => flow(random, depth - 1)).join(join)}${close}]`;
  const pair = (): string =>
    random.pick([
      () => `${random.pick(KEYS)}: ${flow(random, depth - 1)}`,
      () => `${double(random.pick(KEYS))}:${flow(random, depth - 1)}`,
      () => `${flowScalar(random)}: ${flow(random, depth - 1)}`,
      () => random.pick(["a", "? a", "? a : b", ": b", "a:", "<<: *x"]),
    ])();
  return `{${Array.from({ length: count }, pair).join(join)}${close}}`;
}

const ANCHORS = ["&x ", "&y ", "&x !!str ", "!!map &y "] as const;
const COMMENTS = ["# c", "  # c", "", "   ", "\t", "#", "\t# c"] as const;

function value(random: Random, depth: number, indent: string): string {
  const anchor = random.chance(0.12) ? random.pick(ANCHORS) : "";
  const kind = random.integer(0, 9);
  if (depth > 0 && kind < 4) {
    const inner = `${indent}${random.pick(["  ", "  ", "  ", " ", "    "])}`;
    return `${anchor}${random.chance(0.1) ? "# c" : ""}\n${mapping(random, depth - 1, inner)}`;
  }
  if (depth > 0 && kind < 6) {
    const inner = random.chance(0.5) ? indent : `${indent}  `;
    return `${anchor}\n${sequence(random, depth - 1, inner)}`;
  }
  if (kind === 6) return `${anchor}${blockScalar(random, indent)}`;
  if (kind === 7) return `${anchor}${flow(random, Math.min(depth, 2))}`;
  if (kind === 8 && random.chance(0.3)) return random.pick(["*x", "*y", "", "*z", "a\n  b", `a\n${indent}  b\n\n${indent} c`, "a\nb"]);
  return `${anchor}${flowScalar(random)}${random.chance(0.1) ? random.pick([" # c", "  ", "\t", "\t# c", "#c"]) : ""}`;
}

function pair(random: Random, depth: number, indent: string): string {
  const style = random.integer(0, 19);
  if (style === 0) return `${indent}<<: ${random.pick(["*x", "*y", "[*x, *y]", "{a: 1, b: 2}", "[{a: 3}, *x]", "~", "[]", "[[a]]"])}`;
  if (style === 1) return `${indent}? ${flowScalar(random)}\n${indent}: ${value(random, depth, indent)}`;
  if (style === 2) return `${indent}${flowScalar(random)}: ${value(random, depth, indent)}`;
  if (style === 3) return `${indent}${random.pick(["&x ", "!!str ", "*x "])}${random.pick(KEYS)} : ${value(random, depth, indent)}`;
  if (style === 4) return `${indent}? ${value(random, 0, indent)}`;
  const key = random.pick(KEYS);
  return `${indent}${random.pick([key, key, key, double(key), single(key)])}:${random.chance(0.97) ? " " : random.pick(["", "\t"])}${value(random, depth, indent)}`;
}

function lines(random: Random, count: number, line: Spelling): string {
  const all = Array.from({ length: count }, () => line(random));
  if (random.chance(0.12)) all.splice(random.integer(0, all.length), 0, random.pick(COMMENTS));
  return all.join("\n");
}

function mapping(random: Random, depth: number, indent: string): string {
  return lines(random, random.integer(1, 4), () => pair(random, depth, indent));
}

function sequence(random: Random, depth: number, indent: string): string {
  const item: Spelling = () => {
    if (depth > 0 && random.chance(0.3)) return `${indent}- ${mapping(random, depth - 1, `${indent}  `).trimStart()}`;
    if (depth > 0 && random.chance(0.1)) return `${indent}- ${sequence(random, depth - 1, `${indent}  `).trimStart()}`;
    return `${indent}-${random.chance(0.95) ? " " : random.pick(["", "\t", "   "])}${value(random, depth, indent)}`;
  };
  return lines(random, random.integer(1, 4), item);
}

/** One value each: every odd scalar in every place that can have a scalar. */
export function scalarDocuments(): readonly string[] {
  const places: readonly ((text: string) => string)[] = [
    (text) => `a: ${text}`,
    (text) => `- ${text}`,
    (text) => `{a: ${text}}`,
    (text) => `${text}: a`,
  ];
  return [...new Set(ODD_SCALARS)].flatMap((text) => [
    ...places.map((place) => `${place(text)}\n`),
    ...TAGS.map((tag) => `a: ${tag} ${text}\nb: ${tag} ${double(text)}\n`),
  ]);
}

export function document(random: Random): string {
  const style = random.integer(0, 9);
  if (style === 0) return `${flow(random, 3)}\n`;
  if (style === 1) return `${sequence(random, 2, "")}\n`;
  if (style === 2)
    return `${random.pick(["%YAML 1.1", "%YAML 1.2", "%TAG !e! tag:e,2000:", "# c", "%FOO x", "%YAML 1.1 # c"])}\n---\n${mapping(random, 1, "")}\n`;
  return `${random.chance(0.1) ? "&x " : ""}${mapping(random, 3, "")}\n`;
}

const json: Spelling = (random) => {
  const scalar = (): string =>
    random.pick([
      '"a"',
      "1",
      "1.0",
      "-0",
      "-0.0",
      "1e3",
      "9007199254740993",
      "18446744073709551615",
      "true",
      "null",
      '"\\u00e9\\ud83d\\ude00\\/"',
      '"\\ud800"',
      "1e400",
      "01",
    ]);
  const member = (): string =>
    `${random.pick(['"a"', '"b"', '"kind"', '"__proto__"', '"10"', '"1"'])}:${random.pick(["", " ", "\n\t"])}${random.chance(0.3) ? `[${scalar()}, ${scalar()}]` : scalar()}`;
  return `{${Array.from({ length: random.integer(0, 4) }, member).join(random.pick([",", ", ", ",\n"]))}}`;
};

const SEPARATORS = [
  "---\n",
  "---\n",
  "--- # c\n",
  "---   \n",
  "---\n---\n",
  "...\n",
  "...\n---\n",
  "--- a\n",
  "----\n",
  "---\r\n",
  "\n---\n",
  "# c\n---\n",
  " ---\n",
  "---\t\n",
] as const;

/** Several documents of YAML and JSON, joined in all possible ways. */
function file(random: Random): string {
  const count = random.integer(1, 4);
  if (random.chance(0.2))
    return Array.from({ length: count }, () => json(random)).join(random.pick(["", "\n", " ", "\n---\n", "\n\n", ",\n"]));
  const documents = Array.from({ length: count }, () => (random.chance(0.15) ? `${json(random)}\n` : document(random)));
  return `${random.chance(0.3) ? random.pick(SEPARATORS) : ""}${documents.join(random.pick(SEPARATORS))}${random.chance(0.1) ? random.pick(SEPARATORS) : ""}`;
}

const ENCODINGS: readonly ((text: string) => Uint8Array)[] = [
  (text) => Buffer.from(`\ufeff${text}`),
  (text) => Buffer.from(`\ufeff${text}`, "utf16le"),
  (text) => Buffer.from(`\ufeff${text}`, "utf16le").swap16(),
  (text) => Buffer.from(text.replaceAll("\n", "\r\n")),
  (text) => Buffer.from(text.replaceAll("\n", "\r")),
  (text) => Buffer.from(text.replaceAll("a", "\xff"), "latin1"),
];

export interface GeneratedFiles {
  /** Files without typing mistakes. */
  readonly tidy: number;
  readonly untidy: number;
  readonly streams: number;
}

/** Bytes of distinct files. */
export function generatedFiles(random: Random, { tidy, untidy, streams }: GeneratedFiles): readonly Uint8Array[] {
  const texts = new Set<string>();
  const fill = (count: number, make: Spelling): void => {
    for (const goal = texts.size + count; texts.size < goal; ) texts.add(make(random));
  };
  fill(tidy, document);
  fill(untidy, () => disturb(random.chance(0.5) ? document(random) : disturb(document(random), random), random));
  fill(streams, () => (random.chance(0.2) ? disturb(file(random), random) : file(random)));
  return [...texts].map((text) => (random.chance(0.1) ? random.pick(ENCODINGS)(text) : Buffer.from(text)));
}
