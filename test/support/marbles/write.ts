// `npm run marbles` loads this before the specs.
process.env['MARBLES'] = 'write';
