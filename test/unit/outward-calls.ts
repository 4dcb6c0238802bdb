/** Calls of the sources that wait for somebody outside of the process, by the compiler's own reading of them. */
import { type CallExpression, type Expression, type NewExpression, type Node, SyntaxKind } from "typescript/unstable/ast";
import type { Project } from "typescript/unstable/sync";
import { readTyped } from "./typed-sources.ts";

export interface OutwardCall {
  /** From the root of the repository. */
  readonly file: string;
  /** What is called, without its arguments: `credential.getToken`. */
  readonly callee: string;
  /** Names of the functions in whose calls it stands as an argument, innermost first. */
  readonly within: readonly string[];
}

/** Packages that are called and wait for nobody, or for this machine's own disk and arithmetic. */
const AT_HOME = /node_modules\/(?:@types\/node\/(?:fs|fs\/promises|timers\/promises|crypto|util|stream\/consumers)\.d\.ts|prom-client\/)/;

/** Modules of Node whose functions wait for a peer, whatever they return; those that only listen wait for nobody. */
const SOCKETS = /node_modules\/@types\/node\/(?:net|tls|http|https|http2|dns|dns\/promises|dgram)\.d\.ts$/;
const OPENERS: ReadonlySet<string> = new Set(["connect", "createConnection", "get", "request", "lookup", "resolve"]);

/** In the files that match, of the project that `tsconfig.json` describes. */
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
    // What is called is no argument of the call.
    const inner = call !== undefined && child !== call.expression ? [lastName(call.expression), ...within] : within;
    found.push(...callsIn(child, inner, isWanted));
    return undefined;
  });
  return found;
}

function asCall(node: Node): Call | undefined {
  // Told apart by its kind.
  return node.kind === SyntaxKind.CallExpression || node.kind === SyntaxKind.NewExpression ? (node as Call) : undefined;
}

function isOutward(call: Call, project: Project): boolean {
  // The program's own parts.
  if (call.expression.kind === SyntaxKind.ImportKeyword) return false;
  const declared: string | undefined = project.checker.getResolvedSignature(call)?.declaration?.path;
  if (declared === undefined || !declared.includes("/node_modules/") || declared.includes("/node_modules/@typescript/")) return false;
  if (AT_HOME.test(declared)) return false;
  if (SOCKETS.test(declared)) return OPENERS.has(declaredName(call, project));
  const type = project.checker.getTypeAtLocation(call);
  return type !== undefined && /\b(?:Promise|PromiseLike|\w*Async\w*Iter\w*|AsyncGenerator)</.test(project.checker.typeToString(type));
}

/** By which name it was declared: an import may have given it another. */
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
  // Without the arguments of calls and constructors in it.
  let plain = text;
  for (let shorter = plain.replace(/\([^()]*\)/, ""); shorter !== plain; shorter = plain.replace(/\([^()]*\)/, "")) plain = shorter;
  return plain;
}
