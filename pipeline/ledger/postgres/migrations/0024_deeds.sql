-- The last deeds of the operations among a hundred thousand look-ups of the cell.
CREATE INDEX audits_action ON audits (campaign_id, action, id);
-- What the people of one program look up together: 'token:crm/', whoever asks.
CREATE INDEX call_steps_program ON call_steps (left(agent, strpos(agent, '/')), at) WHERE kind = 'look-up' AND strpos(agent, '/') > 0;
