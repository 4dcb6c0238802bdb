/** Parameters of the sources' functions that are handed an object whole, by the compiler's own reading of their types. */
import path from "node:path";
import { type Node, SyntaxKind } from "typescript/unstable/ast";
import { type Checker, type Symbol as Property, SignatureKind, SymbolFlags, type Type } from "typescript/unstable/sync";
import { REPOSITORY } from "../../tools/repository-files.ts";
import { readTyped } from "./typed-sources.ts";

export interface WideParameter {
  /** From the root of the repository. */
  readonly file: string;
  /** As the compiler names it: `CopiesOptions`. */
  readonly type: string;
  readonly fields: number;
}

/**
 * Those with more than so many fields, where
 * - whole is what has a name: a parameter that is taken apart where it stands hands nothing on whole, but for a rest (`...others`) in it;
 * - fields are an object's own and what it has from others (`extends`, `&`, `Pick`), without methods: those are what it does itself, as a
 *   service, and no part that it carries;
 * - a parameter object carries what acts: one of its fields is a function, a signal, or something with functions or methods. An object that only
 *   says something, as what was read of a workload or the settings of the process, is as wide as its subject.
 */
export function wideParameters(pattern: string, most: number): readonly WideParameter[] {
  return readTyped(pattern, (file, source, { checker }) => {
    const types = checker.getTypeAtLocation(parametersIn(source));
    return types.flatMap((declared) => {
      if (declared === undefined) return [];
      const type = checker.getNonNullableType(declared) ?? declared;
      const fields = fieldsOf(type, checker);
      return fields > most ? [{ file, type: checker.typeToString(type), fields }] : [];
    });
  });
}

/** With a name of their own and a type that is written there, and what a pattern leaves. */
function parametersIn(node: Node): readonly Node[] {
  const found: Node[] = [];
  if (isWhole(node)) found.push(node);
  node.forEachChild((child) => {
    found.push(...parametersIn(child));
    return undefined;
  });
  return found;
}

function isWhole(node: Node): boolean {
  if (node.kind === SyntaxKind.BindingElement) return Reflect.get(node, "dotDotDotToken") !== undefined;
  if (node.kind !== SyntaxKind.Parameter || Reflect.get(node, "type") === undefined) return false;
  const name: unknown = Reflect.get(node, "name");
  return typeof name === "object" && name !== null && Reflect.get(name, "kind") === SyntaxKind.Identifier;
}

/** 0: no parameter object of the sources. */
function fieldsOf(type: Type, checker: Checker): number {
  if (isInstance(type)) return 0;
  const fields = ownProperties(type, checker).filter((each) => !each.declarations.some(({ kind }) => kind === SyntaxKind.MethodSignature));
  return fields.some((each) => acts(each, checker, new Set())) ? fields.length : 0;
}

/** None of what the language gives to every text or list. */
function ownProperties(type: Type, checker: Checker): readonly Property[] {
  return checker.getPropertiesOfType(type).filter((each) => each.declarations.some(({ path: file }) => isOwn(file)));
}

function isOwn(file: string): boolean {
  const relative = path.relative(REPOSITORY, file);
  return relative.startsWith("src/") || relative.startsWith("test/unit/planted/");
}

function isInstance(type: Type): boolean {
  return ((type.getSymbol()?.flags ?? 0) & SymbolFlags.Class) !== 0;
}

/** A value, whatever it can be asked. */
const VALUE = "Sensitive";

function acts(property: Property, checker: Checker, before: Set<number>): boolean {
  const declared = checker.getTypeOfSymbol(property);
  const type = declared && (checker.getNonNullableType(declared) ?? declared);
  if (type === undefined || before.has(type.id)) return false;
  before.add(type.id);
  const name = type.getSymbol()?.name;
  if (name === "AbortSignal" || checker.getSignaturesOfType(type, SignatureKind.Call).length > 0) return true;
  return name !== VALUE && ownProperties(type, checker).some((each) => acts(each, checker, before));
}
