/** The sources as the compiler reads them, for rules that need to know types. */
import { globSync } from "node:fs";
import path from "node:path";
import type { SourceFile } from "typescript/unstable/ast";
import { API, type Project } from "typescript/unstable/sync";
import { REPOSITORY } from "../../tools/repository-files.ts";

/** What `read` finds in each file that matches (`file` from the root of the repository), of the project that `tsconfig.json` describes. */
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
