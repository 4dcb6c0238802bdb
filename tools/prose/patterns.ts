/** Patterns of English that confused readers, each with advice. The style: subject first, established terms, facts that readers need. */

export interface Pattern {
  readonly id: string;
  readonly pattern: RegExp;
  readonly advice: string;
}

/** Applied to a paragraph, a list item or a cell, in which code is replaced by letters of the same length. */
export const PATTERNS: readonly Pattern[] = [
  {
    id: "headless-who",
    pattern: /\bwhoever\b|\b(?:by|to|for|from|of|with|that|and|than|as) who\b(?! (?:can|may) do what)/gi,
    advice: 'name the person: "a user who", "anyone who"',
  },
  {
    id: "headless-what",
    pattern: /(?:^|[.!?] )What (?:is|are|was|has|does|comes|goes|stands|you|the|a|an)\b[^.?!]*[.!](?=\s|$)/g,
    advice: 'name the thing: "Objects that …", "Settings that …"',
  },
  {
    id: "impersonal-passive",
    pattern: /\b(?:is|are|was|were|be|been|being) (?:not )?(?:told|had|looked at|looked for|heard|spoken of)\b/gi,
    advice: "say who does it: reports, has, checks, reads",
  },
  {
    id: "comes-back",
    pattern: /\b(?:comes?|came) (?:back|again)\b|\bthere again\b|\bbrings? (?:\w+ )?back\b/gi,
    advice: 'use "restore" or "is restored"',
  },
  {
    id: "stands",
    pattern: /\b(?:as (?:it|they) stands?|how (?:it|they) stands?|stands? (?:in|on|below|above|there|here|beside))\b/gi,
    advice: 'use "is", "unchanged" or "status"',
  },
  {
    id: "look",
    pattern: /\b(?:a|the|one|each|every|next|last|without a) look\b|\blooks at\b/gi,
    advice: 'use "reconcile", "check" or "read"',
  },
  {
    id: "private-word",
    pattern: /\b(?:elder|heirs?|mends?|mended|let alone|for want of|wherefrom|thereof)\b/gi,
    advice: "use the glossary's word, or a plain one",
  },
  { id: "of-ours", pattern: /\bof (?:ours|yours|theirs|hers)\b/gi, advice: 'use "our", "your", "their"' },
  { id: "has-not", pattern: /\b(?:has|have) not (?:the|a|an|any|yet a)\b/gi, advice: 'use "lacks" or "does not have"' },
  {
    id: "all-the-same",
    pattern: /\ball the same\b|\bat the most\b|\bat last\b|\bto be had\b|\bcan be had\b|\bnot to be had\b/gi,
    advice: 'use "anyway", "still", "at most", "available"',
  },
  {
    id: "evidence",
    pattern:
      /\b(?:a|our|another) tests? (?:compares?|checks?|runs?|types|takes)\b|\btests (?:compare|check|run) (?:this|the|these) pages?\b|\bnever run\b|\bhas not run\b/gi,
    advice: "evidence belongs in docs/evidence, what was not run in docs/evidence/not-run.md",
  },
  { id: "so-that-who", pattern: /\b(?:says?|said|tells?) (?:so|which one|where the)\b/gi, advice: 'use "reports" or "names"' },
  { id: "this-page", pattern: /^This page (?!moved)/g, advice: 'begin with what the reader does: "Migrate …", "Look up …"' },
  { id: "exit-code", pattern: /\b(?:ends?|exits?) with \d/gi, advice: 'use "exits with code 1"' },
  { id: "asks-vault", pattern: /\basks? (?:no|the|a|its|that) (?:vault|cluster)\b/gi, advice: 'use "query": "does not query the vault"' },
  { id: "is-no", pattern: /(?<!\bthere )\b(?:is|are|was|were) no (?!longer\b|more\b)/gi, advice: 'use "is not a"' },
  {
    id: "by-means",
    pattern: /\bby (?:dry run|(?:its|their) (?:own )?identity)\b/gi,
    advice: 'use "as a dry run", "with its own identity"',
  },
  {
    id: "where-if",
    pattern: /\bwhere (?:there (?:is|are)|nothing|nobody|none|no|(?:it|that|they|one) (?:is|are) (?:not )?(?:given|set|missing|there))\b/gi,
    advice: 'spell the condition out: "if …"',
  },
  { id: "else", pattern: /[,;] else\b/gi, advice: 'use "otherwise"' },
  { id: "somebody", pattern: /\b(?:some|every)body\b/gi, advice: 'use "someone", "everyone", or the actor' },
  {
    id: "again",
    pattern: /\bmade (?:again|anew)\b|\bappl(?:y|ies|ied) (?:it |them |the \w+ )?again\b/gi,
    advice: 'use "recreated", "reapply"',
  },
  { id: "plural-of-code", pattern: /\bC{3,}s\b/g, advice: 'use a noun: "`SecretSync` resources"' },
  { id: "not-take", pattern: /\btakes? no notice\b/gi, advice: 'use "ignore" or "reject"' },
];

/** Applied only to comments. A sentence on a page may begin so, but a comment has no sentence before it that gives the context. */
export const COMMENT_PATTERNS: readonly Pattern[] = [
  {
    id: "headless-comment",
    pattern: /(?:^|[.!?:] )(?:What|Who|Whose|Whatever)\b[^.?!]*(?:[.!](?=\s|$)|$)/g,
    advice: 'begin with the noun: "The objects that …", "The replica that …"',
  },
  { id: "to-be", pattern: /(?:^|[.!?:] )To be [a-z]+(?:ed|d|t|n)\b/g, advice: 'say what the caller does: "Call …"' },
  { id: "nobody", pattern: /\bnobody\b/gi, advice: 'use "no one", or say which actor does not' },
];

/** Most words of a sentence. */
export const LONGEST_SENTENCE = 40;
