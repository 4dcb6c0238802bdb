import { fileNamesOf } from "../content/version-history.ts";
import type { ClassObject } from "../provider-class/object-rules.ts";
import { quoted } from "../quoted.ts";
import { filesOfEntry, type SecretObjectEntries } from "../secret-data/data-entries.ts";
import { nearestSpelling } from "../spelling.ts";
import type { SecretObjectProblem } from "./desired-secret.ts";
import { expressionField } from "./expression-problem.ts";

/** The files that the objects of a class produce, according to the text of the class. */
export interface MadeFiles {
  readonly isEmpty: boolean;
  readonly has: (fileName: string) => boolean;
  /** Returns the file that the user may have meant by an unknown name. Compares the name with all files. */
  readonly nearest: (fileName: string) => string | undefined;
}

export function madeFiles(objects: readonly ClassObject[]): MadeFiles {
  const has = fileNamesOf(objects);
  // An object with a history produces files only in a folder with its name.
  const names = objects.map(({ path }) => (has(path) ? path : `${path}/0`));
  const nearest = (fileName: string) => (has(`${fileName}/0`) ? `${fileName}/0` : nearestSpelling(fileName, names));
  return { isEmpty: objects.length === 0, has, nearest };
}

/** Finds the first file of a Secret that no object produces. Because of it, the worker never writes that Secret. */
export function absentFile(object: SecretObjectEntries, made: MadeFiles): SecretObjectProblem | undefined {
  for (const [index, entry] of (object.data ?? []).entries()) {
    const name = filesOfEntry(entry).find((file) => file !== "" && !made.has(file));
    if (name === undefined) continue;
    const field = entry.expression === undefined ? `data[${index}].objectName` : expressionField(object, entry);
    const message = `no object of the class produces ${quoted(name, 60)}`;
    const nearest = made.nearest(name);
    const hint =
      nearest === undefined
        ? "list the object in spec.parameters.objects first"
        : `write ${quoted(nearest, 60)}, or the file name of another object`;
    return { reason: "InvalidClass", field, message, hint, isFileMissing: true };
  }
  return undefined;
}
