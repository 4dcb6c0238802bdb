/** Finds parameters of functions in the sources that receive a wide object as a whole. Reads the types with the compiler. */
import path from "node:path";
import { type Node, SyntaxKind } from "typescript/unstable/ast";
import { type Checker, type Symbol as Property, SignatureKind, SymbolFlags, type Type } from "typescript/unstable/sync";
import { REPOSITORY } from "../../tools/repository-files.ts";
import { readTyped } from "./typed-sources.ts";

export interface WideParameter {
  /** Path from the root of the repository. */
  readonly file: string;
  /** Name of the type in the compiler, such as `CopiesOptions`. */
  readonly type: string;
  readonly fields: number;
}

/**
 * Returns the parameters with more fields than `most`. The rules are:
 * - A parameter counts if it has a name. Of a destructured parameter, only a rest (`...others`) counts.
 * - The fields of an object include those that it inherits (`extends`, `&`, `Pick`). Its methods do not count.
 *   They are its own behavior, and not a part that it carries.
 * - A type counts as a parameter object if one of its fields is a function, a signal, or an object with functions or methods. An
 *   object that contains only data, such as the settings of the process, may be as wide as its subject.
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

/** Returns the parameters that have a name and a written type, and the rest elements of patterns. */
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

/** Number of fields. 0: the type is not a parameter object of the sources. */
function fieldsOf(type: Type, checker: Checker): number {
  if (isInstance(type)) return 0;
  const fields = ownProperties(type, checker).filter((each) => !each.declarations.some(({ kind }) => kind === SyntaxKind.MethodSignature));
  return fields.some((each) => acts(each, checker, new Set())) ? fields.length : 0;
}

/** Returns the properties that the sources declare, without those that the language gives to every string or list. */
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

/** Type that counts as a value, although it has methods. */
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
