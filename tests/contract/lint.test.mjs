// docs/openapi.yaml by itself: the rules of @redocly/cli.
import test from 'node:test';
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { file } from './lib/document.mjs';

test('docs/openapi.yaml keeps the recommended rules', () => {
    const program = fileURLToPath(new URL('node_modules/@redocly/cli/bin/cli.js', import.meta.url));
    execFileSync(process.execPath, [program, 'lint', fileURLToPath(file)], {
        stdio: 'inherit',
        env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' },
    });
});
