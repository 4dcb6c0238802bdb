/** Finds the calls in the sources that wait for another system. Reads the types with the compiler. */
import { type CallExpression, type Expression, type NewExpression, type Node, SyntaxKind } from "typescript/unstable/ast";
import type { Project } from "typescript/unstable/sync";
import { readTyped } from "./typed-sources.ts";

export interface OutwardCall {
  /** Path from the root of the repository. */
  readonly file: string;
  /** The called expression without its arguments, such as `credential.getToken`. */
  readonly callee: string;
  /** Names of the functions that have this call in an argument, innermost first. */
  readonly within: readonly string[];
}

/** Packages whose functions do not wait, or wait only for the disk and the CPU of this machine. */
const AT_HOME = /node_modules\/(?:@types\/node\/(?:fs|fs\/promises|timers\/promises|crypto|util|stream\/consumers)\.d\.ts|prom-client\/)/;

/** Node modules whose functions wait for a peer, whatever type they return. Functions that only listen do not wait. */
const SOCKETS = /node_modules\/@types\/node\/(?:net|tls|http|https|http2|dns|dns\/promises|dgram)\.d\.ts$/;
const OPENERS: ReadonlySet<string> = new Set(["connect", "createConnection", "get", "request", "lookup", "resolve"]);

/** Returns the outward calls in the matching files of the project of `tsconfig.json`. */
export function outwardCalls(pattern: string): readonly OutwardCall[] {
  return readTyped(pattern, (file, source, project) =>
    callsIn(source, [], (call) => isOutward(call, project)).map(({ call, within }) => ({ file, callee: textOf(call.expression), within })),
  );
}

type Call = CallExpression | NewExpression;

interface FoundCall {
  readonly call: Call;
  readonly within: readonly string[];
}

function callsIn(node: Node, within: readonly string[], isWanted: (call: Call) => boolean): readonly FoundCall[] {
  const found: FoundCall[] = [];
  const call = asCall(node);
  if (call !== undefined && isWanted(call)) found.push({ call, within });
  node.forEachChild((child) => {
    // The called expression is not an argument of the call.
    const inner = call !== undefined && child !== call.expression ? [lastName(call.expression), ...within] : within;
    found.push(...callsIn(child, inner, isWanted));
    return undefined;
  });
  return found;
}

function asCall(node: Node): Call | undefined {
  // The kind determines the type.
  return node.kind === SyntaxKind.CallExpression || node.kind === SyntaxKind.NewExpression ? (node as Call) : undefined;
}

function isOutward(call: Call, project: Project): boolean {
  // A dynamic import loads parts of the program itself.
  if (call.expression.kind === SyntaxKind.ImportKeyword) return false;
  const declared: string | undefined = project.checker.getResolvedSignature(call)?.declaration?.path;
  if (declared === undefined || !declared.includes("/node_modules/") || declared.includes("/node_modules/@typescript/")) return false;
  if (AT_HOME.test(declared)) return false;
  if (SOCKETS.test(declared)) return OPENERS.has(declaredName(call, project));
  const type = project.checker.getTypeAtLocation(call);
  return type !== undefined && /\b(?:Promise|PromiseLike|\w*Async\w*Iter\w*|AsyncGenerator)</.test(project.checker.typeToString(type));
}

/** Returns the name in the declaration. An import may use another name. */
function declaredName(call: Call, project: Project): string {
  const declaration = project.checker.getResolvedSignature(call)?.declaration?.resolve(project);
  const name: unknown = declaration === undefined ? undefined : Reflect.get(declaration, "name");
  return typeof name === "object" && name !== null ? String(Reflect.get(name, "text")) : "";
}

function lastName(callee: Expression): string {
  return textOf(callee).split(".").at(-1) ?? "";
}

function textOf(expression: Expression): string {
  const text = expression.getText().replaceAll(/\s+/g, " ");
  // Removes the arguments of the calls and constructors in the expression.
  let plain = text;
  for (let shorter = plain.replace(/\([^()]*\)/, ""); shorter !== plain; shorter = plain.replace(/\([^()]*\)/, "")) plain = shorter;
  return plain;
}
