"""钉钉群机器人: messages to a group of DingTalk."""
