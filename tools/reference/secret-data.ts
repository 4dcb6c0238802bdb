/** The functions of expressions; what each gives and when it fails stands beside it in the code. */
import { FUNCTIONS, signatureOf } from "../../src/domain/secret-data/functions.ts";
import { code, type Places, table } from "./page.ts";

export function secretDataPlaces(): Places {
  const rows = FUNCTIONS.map((each) => [code(signatureOf(each)), each.gives, each.fails]);
  return { functions: table(["Function", "Returns", "Fails if"], rows) };
}
