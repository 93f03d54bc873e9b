/** Builds native/ with CMake and Ninja. Ninja knows what changed, so an unchanged tree costs nothing. */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { problem, root, run, tail } from './report.mjs';

const source = join(root, 'native');
const build = join(source, 'build');

export async function buildNative(report, env) {
  if (!existsSync(join(source, 'CMakeLists.txt'))) {
    throw problem('native/CMakeLists.txt is absent', 'The clone is incomplete.');
  }
  mkdirSync(build, { recursive: true });
  if (!configured()) {
    report('configuring');
    const args = ['-G', 'Ninja', '-S', source, '-B', build, '-DCMAKE_BUILD_TYPE=RelWithDebInfo'];
    const configure = await run('cmake', ['--fresh', ...args], { env });
    if (configure.code !== 0) throw problem(`cmake failed:\n${tail(configure.output)}`);
  }
  // Two set-ups at once (a test run beside a demo) must not write the same objects.
  const ninja = await run('flock', [join(build, '.lock'), 'ninja', '-C', build], { env });
  if (ninja.code !== 0) throw problem(`the native build failed:\n${tail(ninja.output, 60)}`);
  const steps = /\[(\d+)\/\1\]/.exec(ninja.output);
  if (steps) report(`${steps[1]} steps built`);
}

/** Configured for this folder: a moved or copied clone has another path in its cache. */
function configured() {
  const cache = join(build, 'CMakeCache.txt');
  if (!existsSync(cache) || !existsSync(join(build, 'build.ninja'))) return false;
  return readFileSync(cache, 'utf8').includes(`CMAKE_HOME_DIRECTORY:INTERNAL=${source}\n`);
}
