"""飞书群机器人: messages to a group of Feishu."""
