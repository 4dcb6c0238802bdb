/** The functions of expressions. Their results and errors are described in the code next to each function. */
import { FUNCTIONS, signatureOf } from "../../src/domain/secret-data/functions.ts";
import { code, type Places, table } from "./page.ts";

export function secretDataPlaces(): Places {
  const rows = FUNCTIONS.map((each) => [code(signatureOf(each)), each.gives, each.fails]);
  return { functions: table(["Function", "Returns", "Fails if"], rows) };
}
