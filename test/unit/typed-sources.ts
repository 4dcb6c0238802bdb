/** Reads the sources with the compiler, for rules that need types. */
import { globSync } from "node:fs";
import path from "node:path";
import type { SourceFile } from "typescript/unstable/ast";
import { API, type Project } from "typescript/unstable/sync";
import { REPOSITORY } from "../../tools/repository-files.ts";

/**
 * Returns everything that `read` finds in the matching files of the project of `tsconfig.json`. `file` is the path from the root of
 * the repository.
 */
export function readTyped<T>(pattern: string, read: (file: string, source: SourceFile, project: Project) => readonly T[]): readonly T[] {
  const api = new API({ cwd: REPOSITORY });
  try {
    const configuration = path.join(REPOSITORY, "tsconfig.json");
    const project = api.updateSnapshot({ openProjects: [configuration] }).getProject(configuration);
    if (project === undefined) throw new Error("the compiler does not open tsconfig.json");
    return globSync(pattern, { cwd: REPOSITORY })
      .sort()
      .flatMap((file) => {
        const source = project.program.getSourceFile(path.join(REPOSITORY, file));
        if (source === undefined) throw new Error(`${file} is no part of the project`);
        return read(file, source, project);
      });
  } finally {
    api.close();
  }
}
