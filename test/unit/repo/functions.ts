/** Functions of a source file with their length in lines. */
import ts from 'typescript';

export interface FunctionSize {
  readonly name: string;
  readonly line: number;
  readonly lines: number;
}

/** Functions, methods, accessors and closures of a TypeScript file; lists of tests excepted. */
export function typescriptFunctions(path: string, text: string): readonly FunctionSize[] {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const found: FunctionSize[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && 'body' in node && node.body && !isSuite(node)) {
      const first = source.getLineAndCharacterOfPosition(node.getStart()).line;
      const last = source.getLineAndCharacterOfPosition(node.getEnd()).line;
      found.push({ name: nameOf(node), line: first + 1, lines: last - first + 1 });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** A function whose own statements are `describe(…)` or `it(…)` is a list of tests, however long. */
function isSuite(node: ts.Node): boolean {
  if (!('body' in node) || !node.body || !ts.isBlock(node.body as ts.Node)) return false;
  return (node.body as ts.Block).statements.some(
    statement => ts.isExpressionStatement(statement) && /^(describe|it)\b/.test(statement.getText()),
  );
}

function nameOf(node: ts.Node): string {
  if ('name' in node && node.name) return (node.name as ts.Node).getText();
  const parent = node.parent;
  return ts.isVariableDeclaration(parent) ? parent.name.getText() : '(anonymous)';
}

/** C functions by the kernel's style: the body's braces stand at the start of a line. */
export function cFunctions(text: string): readonly FunctionSize[] {
  const found: FunctionSize[] = [];
  const lines = text.split('\n');
  let opened = -1;
  lines.forEach((line, index) => {
    if (line === '{') opened = index;
    if (line === '}' && opened >= 0) {
      const head = lines.slice(Math.max(0, opened - 4), opened).join(' ');
      const name = /(\w+)\s*\([^()]*(\([^()]*\)[^()]*)*\)\s*$/.exec(head)?.[1] ?? '(unknown)';
      found.push({ name, line: opened + 1, lines: index - opened + 1 });
      opened = -1;
    }
  });
  return found;
}
