import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readRepositoryFile } from "../../tools/repository-files.ts";
import { FORGETS, LOSES } from "../faults/events/defects.ts";
import { edited } from "../simulation/planted/edits.ts";

describe("the defects that the run of events has to find", () => {
  for (const { id, edits } of [LOSES, FORGETS]) {
    test(`${id}: can be planted in the sources as they are`, () => {
      for (const edit of edits) assert.notEqual(edited(readRepositoryFile(edit.file), edit), readRepositoryFile(edit.file));
      assert.ok(edits.length > 0);
    });
  }
});
