/** Checks mount paths, and computes the places to which they lead. */
import { PROBLEMS } from "../../src/domain/injection/messages.ts";
import { DRIVE, examplePath, LINK, LONGEST, type OperatingSystem } from "../../src/domain/injection/mount-path.ts";
import { FORBIDDEN_PATHS } from "../../src/domain/injection/system-paths.ts";
import { bind, choose, message, of, pieces, regex, text } from "./cel.ts";

const IS_WINDOWS = of("isWindows");
const IN_DRIVE = regex(DRIVE);

/** The policy does not normalize a longer path, and compares it as written. */
const LONGEST_UNTIDY = 256;

const parts = (path: string): string =>
  `${pieces(path, "/", { characters: LONGEST_UNTIDY, most: LONGEST_UNTIDY }, `[${path}]`)}.filter(part, part != "" && part != ".")`;

/** Patterns for these separators: a step up anywhere in the path, and a path whose steps all stay at its root. */
const stepsUp = (separators: string): string => regex(`(^|${separators})\\.\\.(${separators}|$)`);
const stepsNowhere = (separators: string): string => regex(`^(${separators}\\.?)*$`);

const withSlashes = (path: string): string => `${path}.replace("\\\\", "/")`;

const withoutDrive = (path: string): string => `(${path}.matches(${IN_DRIVE}) ? ${path}.substring(2) : ${path})`;

/** A path in its normal spelling: no empty part, and no part that is `.` or begins with `..`. */
const PLAIN = String.raw`^(/\.?[^/.][^/]*)+$`;

/** A path in its normal spelling in which only its length can be wrong. */
const FINE = String.raw`^(/\.?[^/.:\x00-\x1f\x7f][^/:\x00-\x1f\x7f]*)+$`;

/** Whether a path is a Linux path in its normal spelling. */
export function isPlain(path: string): string {
  return `!${IS_WINDOWS} && ${path}.matches(${regex(PLAIN)})`;
}

function problemOnLinux(path: string): string {
  const example = text(examplePath("linux"));
  const values = { example, most: text(String(LONGEST.linux)) };
  return choose(
    [
      [`${path}.matches(${regex(FINE)}) && ${path}.size() <= ${LONGEST.linux}`, `""`],
      [`${path}.matches(${IN_DRIVE})`, message(PROBLEMS.pathOfWindows, values)],
      [`!${path}.startsWith("/")`, message(PROBLEMS.path, values)],
      [`${path}.size() > ${LONGEST.linux}`, message(PROBLEMS.pathLength, values)],
      [`${path}.matches(${regex(String.raw`[:\x00-\x1f\x7f]`)})`, message(PROBLEMS.pathCharacters, values)],
      [`${path}.matches(${stepsUp("/")})`, message(PROBLEMS.pathUp, values)],
      [`${path}.matches(${stepsNowhere("/")})`, message(PROBLEMS.pathRoot, values)],
      [`${path}.size() > ${LONGEST_UNTIDY}`, message(PROBLEMS.pathLength, { example, most: text(String(LONGEST_UNTIDY)) })],
    ],
    `""`,
  );
}

/** Separators on Windows. */
const EITHER = String.raw`[/\\]`;

function problemOnWindows(path: string): string {
  const values = { example: text(examplePath("windows")), most: text(String(LONGEST.windows)) };
  const rest = withoutDrive(path);
  return choose(
    [
      [
        `!${rest}.matches(${regex(String.raw`^[/\\]`)}) || ${path}.matches(${regex(String.raw`^[/\\]{2}`)})`,
        message(PROBLEMS.path, values),
      ],
      [`${path}.size() > ${LONGEST.windows}`, message(PROBLEMS.pathLength, values)],
      [`${rest}.matches(${regex(String.raw`[<>:"|?*\x00-\x1f\x7f]`)})`, message(PROBLEMS.pathCharactersWindows, values)],
      [`${rest}.matches(${stepsUp(EITHER)})`, message(PROBLEMS.pathUp, values)],
      [`${rest}.matches(${stepsNowhere(EITHER)})`, message(PROBLEMS.pathRoot, values)],
    ],
    `""`,
  );
}

export function mountPathProblem(path: string): string {
  return `(${IS_WINDOWS} ? ${problemOnWindows(path)} : ${problemOnLinux(path)})`;
}

function separatorOf(path: string): string {
  return `(${path}.startsWith("/") || !${path}.matches(${regex(String.raw`^([a-zA-Z]:|\\)`)}) ? "/" : "\\\\")`;
}

/** The normal spelling of a path that has no problem. */
export function normalPath(path: string): string {
  const onLinux = `(${path}.matches(${regex(PLAIN)}) ? ${path} : "/" + ${parts(path)}.join("/"))`;
  const drive = `(${path}.matches(${IN_DRIVE}) ? ${path}.substring(0, 2) : "")`;
  const separator = separatorOf(path);
  const onWindows = `${drive} + ${separator} + ${parts(withSlashes(withoutDrive(path)))}.join(${separator})`;
  return `(${IS_WINDOWS} ? ${onWindows} : ${onLinux})`;
}

export function pathBelow(path: string, name: string): string {
  return `${path} + ${separatorOf(path)} + ${name}`;
}

/**
 * Places to which a path leads, in one spelling with a slash at the end. A path below a link has two places. The policy does not resolve
 * `..`. One place is at or inside another if it starts with the other.
 */
export function placesOf(path: string): string {
  const folded = bind("folded", withSlashes(`${path}.lowerAscii()`), `(folded.matches(${IN_DRIVE}) ? folded : "c:" + folded)`);
  const joined = (kept: string): string => `${kept}.map(part, part + "/").join("")`;
  const onWindows = bind("folded", folded, `[folded.substring(0, 2) + "/" + ${joined(parts("folded.substring(2)"))}]`);
  const onLinux = bind("place", `${path}.matches(${regex(PLAIN)}) ? ${path} + "/" : "/" + ${joined(parts(path))}`, withLink("place"));
  return `(${IS_WINDOWS} ? ${onWindows} : ${onLinux})`;
}

/** Places of a path that is already in its normal spelling. */
export function placesOfNormal(path: string): string {
  return `(${IS_WINDOWS} ? ${placesOf(path)} : ${bind("place", `${path} + "/"`, withLink("place"))})`;
}

function withLink(place: string): string {
  return `(${place}.startsWith(${text(`${LINK.from}/`)}) ? [${place}, ${text(LINK.to)} + ${place}.substring(${LINK.from.length})] : [${place}])`;
}

function systemPattern(system: OperatingSystem): string {
  const { trees, exact } = FORBIDDEN_PATHS[system];
  const escaped = (paths: readonly string[]): string => paths.map((path) => path.replaceAll(".", String.raw`\.`)).join("|");
  const alternatives = [`(?:${escaped(trees)})/`, ...(exact.length === 0 ? [] : [`(?:${escaped(exact)})/$`])];
  return `^(?:${alternatives.join("|")})`;
}

/** Whether the kubelet, the container runtime or the system uses one of the places. */
export function isSystemPlace(places: string): string {
  const matches = (system: OperatingSystem): string => `${places}.exists(place, place.matches(${regex(systemPattern(system))}))`;
  return `(${IS_WINDOWS} ? ${matches("windows")} : ${matches("linux")})`;
}
