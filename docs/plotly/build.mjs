// Writes assets/plotly.min.js and the same in Brotli: see README.md beside this file.
import * as acorn from 'acorn';
import { full } from 'acorn-walk';
import esbuild from 'esbuild';
import MagicString from 'magic-string';
import { readFile, writeFile } from 'node:fs/promises';
import { brotliCompressSync, constants } from 'node:zlib';

const { version } = JSON.parse(await readFile('node_modules/plotly.js/package.json', 'utf8'));
const TRACES = ['bar', 'heatmap']; // lines are in its core
const LEFT_OUT = [
    'annotations3d', 'grid', 'images', 'rangeselector', 'rangeslider', 'sliders', 'updatemenus',
];

// The first line has browsers compile all of it while it arrives, beside what draws the page.
const BANNER = `//# allFunctionsCalledOnLoad
/**
* plotly.js (${['scatter', ...TRACES].join(', ')} - minified) v${version}
* Copyright 2012-2026, Plotly, Inc.
* All rights reserved.
* Licensed under the MIT license
*/`;

// The core as Plotly has it, without components that no chart of ours has.
function core(text) {
    return LEFT_OUT.reduce(
        (rest, name) => rest.replace(new RegExp(`^.*require\\('\\./components/${name}'\\),?\\n`, 'm'), ''), text
    ).replace("require('native-promise-only');", '');
}

// What an attribute is for stands in Plotly's schema, which the page does not read.
function undescribed(text) {
    if (!text.includes('description')) return text;
    const rest = new MagicString(text);
    full(acorn.parse(text, { ecmaVersion: 'latest' }), (node) => {
        for (const one of node.type === 'ObjectExpression' ? node.properties : []) {
            if (one.key?.name === 'description') rest.overwrite(one.value.start, one.value.end, '""');
        }
    });
    return rest.toString();
}

const smaller = {
    name: 'smaller',
    setup(build) {
        build.onLoad({ filter: /plotly\.js\/src\/.*\.js$/ }, async ({ path }) => {
            const text = await readFile(path, 'utf8');
            return { contents: undescribed(path.endsWith('src/core.js') ? core(text) : text) };
        });
    },
};

const outfile = '../../assets/plotly.min.js';
await esbuild.build({
    stdin: {
        contents: `const Plotly = require('plotly.js/src/core');
            Plotly.register([${TRACES.map((name) => `require('plotly.js/lib/${name}')`)}]);
            module.exports = Plotly;`,
        resolveDir: '.',
    },
    outfile,
    banner: { js: BANNER },
    bundle: true,
    minify: true,
    format: 'iife',
    globalName: 'Plotly',
    target: 'es2020',
    define: { global: 'window', 'define.amd': 'false' },
    alias: { stream: 'stream-browserify' },
    legalComments: 'eof',
    loader: { '.css': 'empty' },
    plugins: [smaller],
});

// As small as it gets, which takes seconds: a server would take them anew.
const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24 };
await writeFile(`${outfile}.br`, brotliCompressSync(await readFile(outfile), { params }));
